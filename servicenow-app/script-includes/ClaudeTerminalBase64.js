/**
 * Base64 text that stands for bytes. The platform's own functions go through a string and so through a
 * charset, which is wrong for a terminal's output.
 */
var ClaudeTerminalBase64 = Class.create();

ClaudeTerminalBase64.DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

ClaudeTerminalBase64.prototype = {
    FORM: /^[A-Za-z0-9+\/]*={0,2}$/,

    initialize: function () {
    },

    /** @returns {boolean} */
    valid: function (text) {
        return typeof text === 'string' && text.length % 4 === 0 && this.FORM.test(text);
    },

    /** @returns {number} of bytes */
    length: function (text) {
        var padding = text.charAt(text.length - 2) === '=' ? 2 : text.charAt(text.length - 1) === '=' ? 1 : 0;
        return text.length / 4 * 3 - padding;
    },

    /** @returns {string} the bytes from offset `from` on, up to before `to` if given */
    slice: function (text, from, to) {
        var end = Math.min(to === undefined ? this.length(text) : to, this.length(text));
        if (from >= end) {
            return '';
        }
        if (from % 3 === 0 && (end === this.length(text) || end % 3 === 0)) {
            return text.substring(from / 3 * 4, Math.ceil(end / 3) * 4);
        }
        return this._encode(this._decode(text.substring(Math.floor(from / 3) * 4, Math.ceil(end / 3) * 4))
            .slice(from % 3, from % 3 + end - from));
    },

    /** @returns {string} the bytes of all texts, one after the other */
    join: function (texts) {
        var joined = [];
        var open = []; // bytes that do not fill a group of three yet
        var bytes;
        texts.forEach(function (text, index) {
            // Decoding is slow, and only needed where a text ends inside a group of three and another follows.
            if (!open.length && (index === texts.length - 1 || text.charAt(text.length - 1) !== '=')) {
                joined.push(text);
                return;
            }
            bytes = open.concat(this._decode(text));
            open = bytes.slice(bytes.length - bytes.length % 3);
            joined.push(this._encode(bytes.slice(0, bytes.length - bytes.length % 3)));
        }, this);
        return joined.join('') + this._encode(open);
    },

    _decode: function (text) {
        var places = this._places();
        var bytes = [];
        var i, group;
        for (i = 0; i < text.length; i += 4) {
            group = places[text.charCodeAt(i)] << 18 | places[text.charCodeAt(i + 1)] << 12 |
                places[text.charCodeAt(i + 2)] << 6 | places[text.charCodeAt(i + 3)];
            bytes.push(group >> 16 & 255, group >> 8 & 255, group & 255);
        }
        bytes.length = this.length(text);
        return bytes;
    },

    _encode: function (bytes) {
        var digits = ClaudeTerminalBase64.DIGITS;
        var text = [];
        var i, group, last;
        for (i = 0; i < bytes.length; i += 3) {
            last = bytes.length - i;
            group = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
            text.push(digits.charAt(group >> 18) + digits.charAt(group >> 12 & 63) +
                (last > 1 ? digits.charAt(group >> 6 & 63) : '=') +
                (last > 2 ? digits.charAt(group & 63) : '='));
        }
        return text.join('');
    },

    /** @returns {number[]} value of each digit by its character code; others, the padding too, count as 0 */
    _places: function () {
        var places = [];
        var i;
        for (i = 0; i < 128; i++) {
            places.push(Math.max(0, ClaudeTerminalBase64.DIGITS.indexOf(String.fromCharCode(i))));
        }
        return places;
    },

    type: 'ClaudeTerminalBase64'
};
