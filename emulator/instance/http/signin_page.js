/**
 * What the form at /login.do looks like.
 */

var xml = require('http/xml');

var STYLE = ':root { color-scheme: light dark; --bg: #f5f4f0; --panel: #fff; --text: #22211e;' +
    ' --line: #8a867b; --accent: #b4532f; --on-accent: #fff; --bad: #b3261e; } ' +
    '@media (prefers-color-scheme: dark) { :root { --bg: #1b1a18; --panel: #262522; --text: #ece9e2;' +
    ' --line: #7d796f; --accent: #e08b6d; --on-accent: #1b1a18; --bad: #ff9b92; } } ' +
    '* { box-sizing: border-box; } ' +
    'body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--bg);' +
    ' color: var(--text); font: 15px/1.45 system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; } ' +
    'form { width: min(340px, 92vw); padding: 32px; border-radius: 12px; background: var(--panel);' +
    ' box-shadow: 0 1px 3px #0003, 0 8px 24px #0001; } ' +
    'h1 { margin: 0 0 16px; font-size: 20px; } label { display: block; margin-top: 12px; } ' +
    'input { display: block; width: 100%; margin-top: 4px; padding: 8px 10px; font: inherit;' +
    ' color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px; } ' +
    'button { width: 100%; margin-top: 20px; padding: 10px; font: inherit; font-weight: 600; border: 0;' +
    ' border-radius: 6px; background: var(--accent); color: var(--on-accent); cursor: pointer; } ' +
    ':focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; } ' +
    'p { margin: 0; color: var(--bad); }';

/**
 * @param {string} problem what was wrong before; empty = nothing
 * @param {string} wish a path of this instance to go to afterwards
 * @returns {string} HTML
 */
exports.of = function (problem, wish) {
    return '<!DOCTYPE html><html lang="en"><head><meta charset="UTF-8"><title>Log in</title>' +
        '<meta name="viewport" content="width=device-width, initial-scale=1">' +
        '<link rel="icon" href="data:,"><style>' + STYLE + '</style></head><body><main>' +
        '<form method="post" action="/login.do"><h1>Log in</h1>' +
        '<p role="alert">' + xml.escape(problem) + '</p>' +
        '<input type="hidden" name="sysparm_goto_url" value="' + xml.escape(wish) + '">' +
        '<label>User name <input name="user_name" autocomplete="username" autofocus required></label>' +
        '<label>Password <input name="user_password" type="password" autocomplete="current-password" ' +
        'required></label><button type="submit">Log in</button></form></main></body></html>';
};
