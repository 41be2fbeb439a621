#pragma once
#include <stddef.h>

/// A file of the page, as the build has put it into the program.
typedef struct {
    /// What it is called below the root: `assets/app.js`.
    const char *path;
    const char *content_type;
    const unsigned char *bytes;
    size_t count;
} belfry_page_asset;

/// The asset at an index; one with a null path behind the last.
belfry_page_asset belfry_page_asset_at(size_t index);
