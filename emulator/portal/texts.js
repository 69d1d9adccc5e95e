/**
 * `${text}`: translated in what a widget shows, lost in a UI Script.
 */

var rows = require('./rows');

/** One level of `{{expression}}` may stand inside. */
var MESSAGE = /\$\{((?:[^{}]|\{\{[^{}]*\}\})*)\}/g;

/**
 * @param {Object} platform
 * @returns {function(string): string} puts the message, or the text itself, where `${text}` stands
 *     [c_WidgetLocalization]
 */
exports.translator = function (platform) {
    return function (text) {
        return text.replace(MESSAGE, function (whole, key) {
            var found = rows.one(platform, 'sys_ui_message', {key: key, language: 'en'});
            return found === null ? key : found.message || '';
        });
    };
};

/**
 * What the platform makes of a UI Script: it takes `${…}` for something of its own and leaves nothing there.
 * [ESLINT-SN no-uiscript-curlref]
 */
exports.mangled = function (script) {
    return script.replace(/\$\{[^}]*\}/g, '');
};
