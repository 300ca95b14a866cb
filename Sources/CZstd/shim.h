#pragma once
// dynarc's view of libzstd. The static-only API is needed for ZSTD_getFrameHeader, which reads a
// frame's declared window and size before a byte of it is decompressed.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>
