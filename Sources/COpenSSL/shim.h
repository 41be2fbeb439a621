#pragma once
// Only what BelfryCrypto calls, and constants that are macros of macros and therefore do not import into Swift.
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static inline int belfry_pkey_ed25519(void) { return EVP_PKEY_ED25519; }
