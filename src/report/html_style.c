/* The page's style sheet. Colours are variables that the reader's scheme, light or dark, sets; the
 * pictures' colours #0101NN (plot.h) are mapped onto them. The eight of the curves are in the
 * manner of Okabe and Ito, who chose theirs for every kind of colour vision. */
#include "report/html_page.h"

/* The curves' colours, as gnuplot writes strokes, fills of areas, points and texts. */
#define CURVE(number)                                                                              \
    ".s" #number "{background:var(--s" #number ")}"                                                \
    ".d" #number "{border-top-color:var(--s" #number ")}"                                          \
    "svg [stroke='rgb(  1,   1,   " #number ")']{stroke:var(--s" #number ")}"                      \
    "svg [fill='rgb(  1,   1,   " #number ")'],svg [fill='rgb(1,1," #number                        \
    ")']{fill:var(--s" #number ")}"                                                                \
    "svg [color='rgb(  1,   1,   " #number ")']{color:var(--s" #number ")}\n"

#define INK(number, variable)                                                                      \
    "svg [stroke='rgb(  1,   1,  " #number ")']{stroke:var(" variable ")}"                         \
    "svg [fill='rgb(1,1," #number ")'],svg [fill='rgb(  1,   1,  " #number                         \
    ")']{fill:var(" variable ")}"                                                                  \
    "svg [color='rgb(  1,   1,  " #number ")']{color:var(" variable ")}\n"

const char html_style[] =
    ":root{color-scheme:light dark;--bg:#fff;--ink:#18202b;--soft:#5a6673;--line:#dde2e8;"
    "--card:#f5f7f9;--warn:#8a4300;--warn-bg:#fff3e0;--warn-line:#f0b060;--good:#00664a;"
    "--s1:#0072b2;--s2:#d55e00;--s3:#009e73;--s4:#b04a8b;--s5:#c08a00;--s6:#3d9fd6;--s7:#5b4ea8;"
    "--s8:#77797c}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#12161c;--ink:#e8ecf1;--soft:#a3adb8;"
    "--line:#303944;--card:#1a2028;--warn:#ffc078;--warn-bg:#2e2213;--warn-line:#8a5a1c;"
    "--good:#5fd6a8;--s1:#58b0f0;--s2:#ff8b45;--s3:#30c998;--s4:#e694c8;--s5:#f0c04a;--s6:#a0dcff;"
    "--s7:#b3a2f0;--s8:#b4b8bd}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\n"
    "main{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0 .25rem}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .75rem}\n"
    "h3{font-size:1rem;margin:1.75rem 0 .25rem}\n"
    "p{margin:.5rem 0}.soft,figcaption{color:var(--soft);font-size:.875rem}\n"
    ".scroll{overflow-x:auto;margin:.5rem 0}\n"
    "table{border-collapse:collapse;font-size:.875rem}\n"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;"
    "border-bottom:1px solid var(--line);unicode-bidi:isolate}\n"
    "th{font-weight:600;color:var(--soft);white-space:nowrap}\n"
    "tbody th{font-weight:400;color:var(--ink)}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".w{white-space:nowrap}\n"
    "code{font:.8125rem/1.45 ui-monospace,monospace;overflow-wrap:anywhere}\n"
    ".badge{display:inline-block;min-width:1.35em;padding:0 .3em;border-radius:.3em;"
    "color:var(--bg);font-size:.8125rem;font-weight:700;text-align:center;line-height:1.35}\n"
    ".cards{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr))}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;"
    "padding:.75rem 1rem;min-width:0}\n"
    ".card h3{margin:0 0 .25rem;overflow-wrap:anywhere}\n"
    ".big{font-size:1.5rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}\n"
    ".warnings{background:var(--warn-bg);border:1px solid var(--warn-line);border-radius:.5rem;"
    "padding:.75rem 1rem;margin:1.25rem 0}\n"
    ".warnings h2{margin:0 0 .25rem;font-size:1rem;color:var(--warn)}\n"
    ".warnings ul{margin:0;padding:0;list-style:none}.warnings li{margin:.3rem 0}\n"
    ".warnings .loud{font-weight:650;color:var(--warn)}\n"
    ".clean{color:var(--good);font-weight:600}\n"
    "figure{margin:1.5rem 0}figure h3{margin:0 0 .25rem}\n"
    ".key{display:flex;flex-wrap:wrap;gap:.15rem 1.1rem;font-size:.875rem;margin:0 0 .25rem;"
    "padding:0;list-style:none}\n"
    ".key li{display:flex;align-items:center;gap:.45rem;min-width:0;overflow-wrap:anywhere}\n"
    ".key i{flex:none;width:1.6rem;border-top-width:3px;border-top-style:solid}\n"
    ".key i.dash{border-top-style:dashed}\n"
    "svg{display:block;width:100%;height:auto}svg text{font-family:system-ui,sans-serif}\n"
    ".narrow{display:none}\n"
    "@media(max-width:640px){.wide{display:none}.narrow{display:block}h1{font-size:1.4rem}}\n"
    "@media print{.warnings,.card{break-inside:avoid}figure{break-inside:avoid}}\n"
    /* gnuplot's text and area stand on these */
    CURVE(1) CURVE(2) CURVE(3) CURVE(4) CURVE(5) CURVE(6) CURVE(7) CURVE(8) INK(32, "--ink")
        INK(33, "--line") INK(34, "--soft");
