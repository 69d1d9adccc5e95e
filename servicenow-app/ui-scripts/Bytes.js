window.claudeTerminal = window.claudeTerminal || {};

/**
 * Bytes of a terminal: from and to base64, and what text becomes in UTF-8. The browser's own coder of base64
 * goes through a string of characters, which is slow for output and wrong for text.
 */
(function (ns) {
    'use strict';

    var DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    var FORM = /^[A-Za-z0-9+\/]*={0,2}$/;
    var REPLACEMENT = 0xFFFD;
    var places = table();

    function table() {
        var made = [];
        var i;
        for (i = 0; i < DIGITS.length; i++) {
            made[DIGITS.charCodeAt(i)] = i;
        }
        made['='.charCodeAt(0)] = 0;
        return made;
    }

    function padding(text) {
        return text.charAt(text.length - 2) === '=' ? 2 : text.charAt(text.length - 1) === '=' ? 1 : 0;
    }

    /** @returns {boolean} whether the code unit is one half of a whole character */
    function paired(text, i) {
        var code = text.charCodeAt(i);
        var high = code >= 0xD800 && code < 0xDC00;
        var low = code >= 0xDC00 && code < 0xE000;
        var other = text.charCodeAt(high ? i + 1 : i - 1);
        return high && other >= 0xDC00 && other < 0xE000 || low && other >= 0xD800 && other < 0xDC00;
    }

    /** @returns {number} of bytes that a code unit becomes; of each half of a pair, half of its four */
    function weight(text, i) {
        var code = text.charCodeAt(i);
        if (code < 0x80) {
            return 1;
        }
        return code < 0x800 || paired(text, i) ? 2 : 3;
    }

    function append(bytes, code) {
        if (code < 0x80) {
            bytes.push(code);
        } else if (code < 0x800) {
            bytes.push(0xC0 | code >> 6, 0x80 | code & 63);
        } else if (code < 0x10000) {
            bytes.push(0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63);
        } else {
            bytes.push(0xF0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63);
        }
    }

    ns.Bytes = {
        /** @param {string} text base64 @returns {Uint8Array} @throws {Problem} when it is something else */
        decoded: function (text) {
            var bytes, i, group, at;
            if (text.length % 4 || !FORM.test(text)) {
                throw new ns.Problem({status: 502, title: 'Fault', detail: 'The output is damaged.'});
            }
            bytes = new Uint8Array(text.length / 4 * 3 - padding(text));
            for (i = 0, at = 0; i < text.length; i += 4, at += 3) {
                group = places[text.charCodeAt(i)] << 18 | places[text.charCodeAt(i + 1)] << 12 |
                    places[text.charCodeAt(i + 2)] << 6 | places[text.charCodeAt(i + 3)];
                bytes[at] = group >> 16;
                // What lies behind the end of a typed array is not written.
                bytes[at + 1] = group >> 8 & 255;
                bytes[at + 2] = group & 255;
            }
            return bytes;
        },

        /** @param {number[]} bytes @returns {string} base64 */
        encoded: function (bytes) {
            var text = '';
            var i, group;
            for (i = 0; i < bytes.length; i += 3) {
                group = bytes[i] << 16 | (bytes[i + 1] || 0) << 8 | (bytes[i + 2] || 0);
                text += DIGITS.charAt(group >> 18) + DIGITS.charAt(group >> 12 & 63) +
                    (i + 1 < bytes.length ? DIGITS.charAt(group >> 6 & 63) : '=') +
                    (i + 2 < bytes.length ? DIGITS.charAt(group & 63) : '=');
            }
            return text;
        },

        /** @returns {number[]} text in UTF-8; half a character becomes the replacement character */
        utf8: function (text) {
            var bytes = [];
            var i, code;
            for (i = 0; i < text.length; i++) {
                code = text.charCodeAt(i);
                if (paired(text, i)) {
                    i += 1;
                    code = 0x10000 + (code - 0xD800) * 0x400 + text.charCodeAt(i) - 0xDC00;
                } else if (code >= 0xD800 && code < 0xE000) {
                    code = REPLACEMENT;
                }
                append(bytes, code);
            }
            return bytes;
        },

        /** @returns {number} of bytes that text has in UTF-8 */
        size: function (text) {
            var bytes = 0;
            var i;
            for (i = 0; i < text.length; i++) {
                bytes += weight(text, i);
            }
            return bytes;
        },

        /** @returns {number} of code units that fit into so many bytes, without cutting a character */
        fitting: function (text, most) {
            var bytes = 0;
            var i = 0;
            var step;
            while (i < text.length) {
                step = paired(text, i) ? 2 : 1;
                bytes += step * weight(text, i);
                if (bytes > most) {
                    break;
                }
                i += step;
            }
            return i;
        }
    };
}(window.claudeTerminal));
