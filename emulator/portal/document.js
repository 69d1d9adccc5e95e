/**
 * The document of a portal: the same for all its pages, which their script then asks for.
 */

var xml = require('http/xml');

/**
 * @param {Object} portal
 * @param {Object} visitor with user and token
 * @param {Object} assets
 * @param {{scripts: Array<string>, styles: Array<string>, title: string}} early what loads with the page
 * @returns {string} HTML
 */
exports.of = function (portal, visitor, assets, early) {
    return ['<!DOCTYPE html>', '<html lang="en"><head><meta charset="UTF-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<title>' + xml.escape(title(portal, early)) + '</title>',
        '<link rel="icon" href="data:,">', style(assets.address('portal.css')),
        early.styles.map(style).join(''),
        '<script>' + settings(portal, visitor) + '</script>',
        '<script src="' + assets.address('angular.js') + '"></script>', early.scripts.map(script).join(''),
        '<script src="' + assets.address('portal.js') + '"></script>',
        '</head><body><sp-page></sp-page><noscript>This portal needs JavaScript.</noscript>',
        '<script>angular.bootstrap(document, ["sp"]);</script></body></html>'].join('\n');
};

function title(portal, early) {
    return early.title ? early.title + ' - ' + portal.title : String(portal.title);
}

function style(address) {
    return '<link rel="stylesheet" href="' + xml.escape(address) + '">';
}

function script(address) {
    return '<script src="' + xml.escape(address) + '"></script>';
}

/** What scripts of a page find in `window`, as on the platform: the token of the session, and who is there. */
function settings(portal, visitor) {
    return 'window.g_ck = ' + literal(visitor.token) + '; window.NOW = ' + literal({
        portal_id: portal.sys_id, portal_url_suffix: portal.url_suffix, portal_title: portal.title,
        user: {userID: visitor.user.sys_id, name: visitor.user.user_name}
    }) + ';';
}

/** JSON that may stand in a script element. */
function literal(value) {
    return JSON.stringify(value).replace(/</g, '\\u003c').replace(/\u2028/g, '\\u2028')
        .replace(/\u2029/g, '\\u2029');
}
