#pragma once
// dynarc's view of libcrypto: message digests and HMAC.
#include <openssl/evp.h>
#include <openssl/hmac.h>
