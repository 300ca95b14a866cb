#pragma once
// dynarc's view of zlib: CRC-32 only.
#include <zlib.h>
