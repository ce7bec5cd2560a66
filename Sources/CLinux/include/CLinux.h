/* Calls of the Linux kernel and the C library that Swift cannot make by itself. */
#ifndef CLINUX_H
#define CLINUX_H

#include "granary_channel.h"
#include "granary_http.h"
#include "granary_opencl.h"
#include "granary_poller.h"
#include "granary_process.h"
#include "granary_sandbox.h"
#include "granary_service.h"
#include "granary_tls.h"
#include "granary_trees.h"
#include "memory_file.h"

#endif
