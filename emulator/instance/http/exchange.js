/**
 * One HTTP exchange: what was asked, read once, and the one answer.
 */

var UTF_8 = java.nio.charset.StandardCharsets.UTF_8;
var MEGABYTE = 1024 * 1024;

/** What no request body may exceed, whatever takes it. */
exports.BODY_BYTES = 64 * MEGABYTE;

/** A refusal that becomes an answer in the REST error form. */
exports.Refusal = function (status, message, detail, headers) {
    this.status = status;
    this.message = message;
    this.detail = detail || null;
    this.headers = headers || {};
};
exports.Refusal.prototype.toString = function () {
    return this.status + ' ' + this.message + (this.detail ? ': ' + this.detail : '');
};

/**
 * @param {com.sun.net.httpserver.HttpExchange} raw
 */
exports.Exchange = function (raw) {
    this.raw = raw;
    this.method = String(raw.getRequestMethod());
    this.uri = raw.getRequestURI();
    this.path = String(this.uri.getPath());
    this.rawPath = String(this.uri.getRawPath());
    this.query = this.uri.getRawQuery() === null ? '' : String(this.uri.getRawQuery());
    this.answerHeaders = [];
    this.answered = false;
    //: What is done when the answer has left.
    this.afterwards = null;
    this._parameters = null;
};

exports.Exchange.prototype = {
    /** @returns {string|null} the first header of that name */
    header: function (name) {
        var value = this.raw.getRequestHeaders().getFirst(name);
        return value === null ? null : String(value);
    },

    /** @returns {Object} every request header, by its name in lower case */
    headers: function () {
        var found = {};
        var each = this.raw.getRequestHeaders().entrySet().iterator();
        var entry;
        while (each.hasNext()) {
            entry = each.next();
            found[String(entry.getKey()).toLowerCase()] =
                String(java.lang.String.join(', ', entry.getValue()));
        }
        return found;
    },

    /** @returns {Object} the query's parameters: name → list of values; shared, do not change it */
    parameters: function () {
        // Kept, because some are asked for with every field of every row.
        this._parameters = this._parameters || exports.parameters(this.query);
        return this._parameters;
    },

    /** @returns {string|null} the first value of a query parameter */
    parameter: function (name) {
        var all = this.parameters();
        return Object.prototype.hasOwnProperty.call(all, name) ? all[name][0] : null;
    },

    /** @returns {byte[]} the body; a longer one is refused */
    bytes: function (limit, status) {
        var most = limit || exports.BODY_BYTES;
        var read = this.raw.getRequestBody().readNBytes(most + 1);
        if (read.length > most) {
            throw new exports.Refusal(status || 413, 'Request body too large',
                'At most ' + most + ' bytes are taken');
        }
        return read;
    },

    /** @returns {string} the body as text */
    text: function (limit, status) {
        return String(new java.lang.String(this.bytes(limit, status), UTF_8));
    },

    /** Add a header to the answer. */
    set: function (name, value) {
        this.answerHeaders.push([name, String(value)]);
    },

    /** Answer with text; the first answer counts. */
    reply: function (status, type, text) {
        this.replyBytes(status, type, text === null ? null : new java.lang.String(text).getBytes(UTF_8));
    },

    /** Answer with bytes, or with nothing. */
    replyBytes: function (status, type, bytes) {
        var headers = this.raw.getResponseHeaders();
        if (this.answered) {
            return;
        }
        this.answered = true;
        this.answerHeaders.forEach(function (pair) { headers.add(pair[0], pair[1]); });
        if (bytes !== null && type) {
            headers.set('Content-Type', type);
        }
        if (this.beforeAnswer) {
            this.beforeAnswer();
        }
        this.raw.sendResponseHeaders(status, bytes === null || bytes.length === 0 ? -1 : bytes.length);
        if (bytes !== null && bytes.length > 0) {
            this.raw.getResponseBody().write(bytes);
        }
    },

    /**
     * End the exchange; the connection is kept when both sides of it are through. Java sees to that only for
     * bodies that were asked for, and gives back a connection that broke only when it closes them itself.
     */
    finish: function () {
        if (this.answered) {
            this.raw.getRequestBody();
            this.raw.getResponseBody();
        }
        this.raw.close();
    },

    /** Answer with JSON. */
    json: function (status, value) {
        this.reply(status, 'application/json;charset=UTF-8', JSON.stringify(value));
    },

    /** Answer with the error form of the REST interfaces. [r_RESTAPIHTTPResponseCodes] */
    refuse: function (refusal) {
        var self = this;
        Object.keys(refusal.headers).forEach(function (name) { self.set(name, refusal.headers[name]); });
        this.json(refusal.status, {
            error: {message: refusal.message, detail: refusal.detail}, status: 'failure'
        });
    }
};

/**
 * Take a query string or a form apart.
 *
 * @param {string} text still encoded
 * @returns {Object} name → list of values, in order
 */
exports.parameters = function (text) {
    var found = {};
    text.split('&').forEach(function (pair) {
        var at = pair.indexOf('=');
        var name = decode(at < 0 ? pair : pair.slice(0, at));
        // The engine would take the last two for itself.
        if (pair && name !== '__proto__' && name !== '__parent__') {
            found[name] = Object.prototype.hasOwnProperty.call(found, name) ? found[name] : [];
            found[name].push(at < 0 ? '' : decode(pair.slice(at + 1)));
        }
    });
    return found;
};

function decode(text) {
    try {
        return String(java.net.URLDecoder.decode(text, 'UTF-8'));
    } catch (error) {
        throw new exports.Refusal(400, 'Bad Request', 'The query is not correctly encoded');
    }
}
