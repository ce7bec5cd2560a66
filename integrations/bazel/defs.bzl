"""Kernels of Granary as C libraries, from the sources that `granary export-source` wrote into the tree.

Builds ask no daemon and no network: `granary_kernel` compiles what is committed, and refuses what was written for
another content of the spec's file; `granary_lock` holds the sources to the artifacts that a lock file names.
"""

# What kernels are compiled with, but for what gcc or clang alone would take.
_COPTS = ["-O3", "-std=gnu11", "-ffp-contract=fast", "-fno-math-errno", "-fwrapv", "-fno-builtin", "-w"]

def granary_kernel(name, spec, source, header = None, copts = [], **kwargs):
    """A `cc_library` with the function of a spec, whose tensors have C types.

    Args:
        name: of the library.
        spec: the file with the spec.
        source: `NAME.c` as `granary export-source` wrote it; the function is called NAME.
        header: `NAME.h`, beside the source unless it is given.
        copts: more options for the compiler, such as `-march=native`.
        **kwargs: what a `cc_library` takes.
    """
    header = header or source[:-len(".c")] + ".h"
    folder, _, file = header.rpartition("/")
    checked = name + "_checked/" + file[:-len(".h")] + ".c"
    native.genrule(
        name = name + "_checked",
        srcs = [spec, source],
        outs = [checked],
        cmd = """
            digest=$$(sha256sum < $(location {spec}) | cut -c1-64)
            if ! head -n 5 $(location {source}) | grep -q "granary-spec: $$digest"; then
              echo "{source} is not of the present {spec}; write it again with granary export-source" >&2
              exit 1
            fi
            cp $(location {source}) $@
        """.format(spec = spec, source = source),
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [checked],
        hdrs = [header],
        includes = [folder or "."],
        copts = _COPTS + copts,
        local_defines = ["GRANARY_PORTABLE_ONLY"],
        **kwargs
    )

def granary_lock(name, lock, sources, **kwargs):
    """Builds only while each source is of an artifact that the lock file names.

    Args:
        name: of the target, and of the list of artifacts that it gives.
        lock: the file that `granary lock` wrote.
        sources: as `granary_kernel` takes them.
        **kwargs: what a `genrule` takes.
    """
    native.genrule(
        name = name,
        srcs = [lock] + sources,
        outs = [name + ".txt"],
        cmd = """
            for source in {sources}; do
              artifact=$$(sed -n "s/^ \\* granary-artifact: //p" $$source | head -n 1)
              if [ -z "$$artifact" ] || ! grep -q "$$artifact" $(location {lock}); then
                echo "$$source is of an artifact that {lock} does not name" >&2
                exit 1
              fi
              echo "$$artifact" >> $@
            done
        """.format(lock = lock, sources = " ".join(["$(location %s)" % source for source in sources])),
        **kwargs
    )
