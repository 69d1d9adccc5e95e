/**
 * What a scripted REST resource answers with. [c_ScriptableServiceResponseBuilder, c_ScriptableServiceRespStreamWriter]
 */

var errors = require('glide/errors');
var request_ = require('http/scripted_request');
var trap = require('glide/trap');
var web = require('http/exchange');

/** @param {Exchange} exchange to be answered */
exports.Answer = function (exchange) {
    this._exchange = exchange;
    this._status = 200;
    this._type = 'application/json';
    this._headers = {};
    this._body = undefined;
    this._error = null;
    this._stream = null;
};

exports.Answer.prototype = {
    /** @returns {Object} the script's `response` */
    facade: function () {
        var self = this;
        if (!this._facade) {
            this._facade = trap.members(Object.create(trap.create('Response', unknown, unknown)), {
                // [c_ScriptableServiceResponseBuilder] what is no number becomes 0
                setStatus: function (status) { self._status = typeof status === 'number' ? status : 0; },
                setBody: function (body) { self._body = body; },
                setContentType: function (type) { self._type = String(type); },
                setHeader: function (name, value) { self._header(name, value); },
                setHeaders: function (headers) {
                    Object.keys(headers).forEach(function (name) { self._header(name, headers[name]); });
                },
                setLocation: function (location) { self._header('Location', location); },
                setError: function (error) { self._error = error; },
                getStreamWriter: function () { return self._writer(); }
            });
        }
        return this._facade;
    },

    /**
     * Put it on the wire.
     *
     * @param {*} returned what the script's function returned; counts when it has set no body
     * @param {Object} request the script's request, which cannot be sent
     */
    send: function (returned, request) {
        if (this._stream !== null) {
            this._send(this._stream.toByteArray());
            return;
        }
        if (this._error !== null) {
            throw exports.refusal(this._error);
        }
        var value = this._body === undefined ? returned : this._body;
        this._send(value === undefined || value === null ? null :
            new java.lang.String(this._text(value, request)).getBytes('UTF-8'));
    },

    _send: function (bytes) {
        var exchange = this._exchange;
        var headers = this._headers;
        if (!(this._status >= 100 && this._status <= 599)) {
            throw new web.Refusal(500, 'Status ' + this._status + ' cannot be sent',
                'setStatus takes a number from 100 to 599; anything that is no number becomes 0');
        }
        Object.keys(headers).forEach(function (name) { exchange.set(name, headers[name]); });
        exchange.replyBytes(this._status,
            this._type + (/charset/.test(this._type) ? '' : ';charset=UTF-8'), bytes);
    },

    _text: function (value, request) {
        if (!/json/.test(this._type)) {
            if (typeof value !== 'object') {
                return String(value);
            }
            throw new web.Refusal(500, 'Unable to serialize the body',
                'An object cannot be sent as ' + this._type);
        }
        return '{"result":' + serialized(value, [request, this.facade()]) + '}';
    },

    _header: function (name, value) {
        if (!/^[A-Za-z0-9-]+$/.test(String(name)) || /[\r\n]/.test(String(value))) {
            throw new TypeError('not a header: ' + name);
        }
        this._headers[String(name)] = String(value);
    },

    _writer: function () {
        var stream = this._stream = this._stream || new java.io.ByteArrayOutputStream();
        return trap.members(Object.create(trap.create('StreamWriter', unknown, unknown)), {
            writeString: function (text) {
                stream.write(new java.lang.String(String(text)).getBytes('UTF-8'));
            },
            writeStream: function (source) {
                var from = request_.stream(source);
                if (from === null) {
                    throw new TypeError('writeStream takes a stream');
                }
                from.transferTo(stream);
            }
        });
    }
};

/**
 * Turn what a script throws or sets as an error into an answer. [r_ScriptedRESTServiceScriptExamples]
 *
 * @param {*} error
 * @returns {Refusal}
 */
exports.refusal = function (error) {
    if (error instanceof web.Refusal) {
        return error;
    }
    if (error instanceof errors.ServiceError) {
        return new web.Refusal(typeof error.status === 'number' ? error.status : 500, error.message,
            error.detail);
    }
    return new web.Refusal(500, 'Script Evaluation Exception', String(error && error.message || error));
};

function serialized(value, forbidden) {
    var text = JSON.stringify(value, function (name, each) {
        if (forbidden.indexOf(each) >= 0) {
            throw new web.Refusal(500, 'Unable to serialize the body',
                'It holds the request or the response itself');
        }
        return each;
    });
    return text === undefined ? 'null' : text;
}

function unknown(start, name) {
    throw new TypeError('response has no member ' + name);
}
