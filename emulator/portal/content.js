/**
 * A file that browsers keep: its address carries a version made of its content, so it never has to be asked
 * for twice.
 */

var YEAR_S = 31536000;
var VERSION_DIGITS = 16;

/** @returns {Content} @param {string} name @param {string} type of media @param {string} text */
exports.of = function (name, type, text) {
    return new Content(name, type, new java.lang.String(text).getBytes('UTF-8'));
};

function Content(name, type, bytes) {
    this.name = name;
    this.type = type;
    this.bytes = bytes;
    this.version = digest(bytes).slice(0, VERSION_DIGITS);
}

Content.prototype = {
    /** Answer with it, or with 304 when the browser has it. */
    send: function (exchange) {
        var tag = '"' + this.version + '"';
        var lasting = exchange.parameter('v') === this.version;
        exchange.set('ETag', tag);
        exchange.set('Cache-Control', lasting ? 'private, max-age=' + YEAR_S + ', immutable' :
            'private, no-cache');
        exchange.set('X-Content-Type-Options', 'nosniff');
        if (exchange.header('If-None-Match') === tag) {
            exchange.reply(304, null, null);
        } else {
            exchange.replyBytes(200, this.type, this.bytes);
        }
    }
};

function digest(bytes) {
    var hash = java.security.MessageDigest.getInstance('SHA-256').digest(bytes);
    return String(new java.math.BigInteger(1, hash).setBit(256).toString(16)).slice(1);
}
