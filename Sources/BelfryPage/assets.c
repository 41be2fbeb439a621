#include "BelfryPage.h"

// The toolchain's clang has C23's #embed and warns that it is new.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char index_html[] = {
#embed "assets/index.html"
};
static const unsigned char style_css[] = {
#embed "assets/style.css"
};
static const unsigned char app_js[] = {
#embed "assets/app.js"
};
static const unsigned char cards_js[] = {
#embed "assets/cards.js"
};
static const unsigned char elements_js[] = {
#embed "assets/elements.js"
};
static const unsigned char question_js[] = {
#embed "assets/question.js"
};
static const unsigned char model_js[] = {
#embed "assets/model.js"
};
static const unsigned char feed_js[] = {
#embed "assets/feed.js"
};
static const unsigned char worker_js[] = {
#embed "assets/worker.js"
};
static const unsigned char favicon_svg[] = {
#embed "assets/favicon.svg"
};

#define SCRIPT "text/javascript; charset=utf-8"

static const belfry_page_asset assets[] = {
    {"", "text/html; charset=utf-8", index_html, sizeof index_html},
    {"assets/style.css", "text/css; charset=utf-8", style_css, sizeof style_css},
    {"assets/app.js", SCRIPT, app_js, sizeof app_js},
    {"assets/cards.js", SCRIPT, cards_js, sizeof cards_js},
    {"assets/elements.js", SCRIPT, elements_js, sizeof elements_js},
    {"assets/question.js", SCRIPT, question_js, sizeof question_js},
    {"assets/model.js", SCRIPT, model_js, sizeof model_js},
    {"assets/feed.js", SCRIPT, feed_js, sizeof feed_js},
    {"assets/worker.js", SCRIPT, worker_js, sizeof worker_js},
    {"assets/favicon.svg", "image/svg+xml", favicon_svg, sizeof favicon_svg},
};

belfry_page_asset belfry_page_asset_at(size_t index) {
    return index < sizeof assets / sizeof assets[0] ? assets[index] : (belfry_page_asset){0};
}
