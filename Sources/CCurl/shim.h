// libcurl for Swift: what does not import by itself. The setters are variadic in C; here each has the one type it is
// called with. Macros that Swift cannot read become functions or enum constants.
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

static inline CURLcode belfry_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode belfry_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode belfry_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode belfry_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode belfry_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

// For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode belfry_curl_set_receiver(
    CURL *easy, CURLoption option, size_t (*function)(char *, size_t, size_t, void *)
) {
    return curl_easy_setopt(easy, option, function);
}

static inline CURLcode belfry_curl_set_open_socket(CURL *easy, curl_opensocket_callback function) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}

static inline long belfry_curl_get_long(CURL *easy, CURLINFO info) {
    long value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline curl_off_t belfry_curl_get_size(CURL *easy, CURLINFO info) {
    curl_off_t value = 0;
    curl_easy_getinfo(easy, info, &value);
    return value;
}

static inline CURLMcode belfry_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

// CURLMsg holds a union that Swift reads as a tuple of names: these two say what is meant.
static inline CURL *belfry_curl_message_easy(const CURLMsg *message) { return message->easy_handle; }
static inline CURLcode belfry_curl_message_result(const CURLMsg *message) { return message->data.result; }

enum {
    belfry_curl_error_bytes = CURL_ERROR_SIZE,
    belfry_curl_pause = CURL_WRITEFUNC_PAUSE,
    belfry_curl_continue = CURLPAUSE_CONT,
};

static inline curl_socket_t belfry_curl_bad_socket(void) { return CURL_SOCKET_BAD; }
static inline CURLcode belfry_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
