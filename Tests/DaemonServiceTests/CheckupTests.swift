import Testing

@testable import DaemonService

@Test("the file system of a path is that of the longest mount above it")
func fileSystems() {
  let mounts = """
    22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
    23 22 0:44 / /home rw - nfs4 server:/home rw
    24 23 0:45 / /home/me/local rw shared:2 master:1 - xfs /dev/sdb rw
    """
  #expect(Checkup.fileSystem(of: "/var/cache", in: mounts) == "ext4")
  #expect(Checkup.fileSystem(of: "/home/me/.cache", in: mounts) == "nfs4")
  #expect(Checkup.fileSystem(of: "/homeless", in: mounts) == "ext4")
  #expect(Checkup.fileSystem(of: "/home/me/local/store", in: mounts) == "xfs")
  #expect(Checkup.fileSystem(of: "/x", in: "") == nil)
}
