#pragma once
// dynarc's view of libcrypto: message digests, HMAC, and signatures with elliptic curves.
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
