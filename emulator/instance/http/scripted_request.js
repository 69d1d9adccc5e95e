/**
 * What a scripted REST resource sees of its request. [c_ScriptableServiceRequest, c_ScriptableServiceRequestBody]
 *
 * It cannot be changed, its body can be read once, and what is not documented is refused by name.
 */

var trap = require('glide/trap');
var web = require('http/exchange');

/**
 * @param {Object} engine whose `adopt` makes values the script's own
 * @param {Exchange} exchange
 * @param {Object} path names of the path's variables → values
 * @param {number} mostBytes what a body may have; the stream is exempt
 * @returns {Object} the script's `request`
 */
exports.of = function (engine, exchange, path, mostBytes) {
    var request = guarded('request');
    constants(request, {
        pathParams: engine.adopt(path), queryParams: engine.adopt(exchange.parameters()), uri: exchange.path,
        queryString: exchange.query, headers: engine.adopt(exchange.headers()),
        url: 'http://' + (exchange.header('Host') || 'localhost') + exchange.path,
        body: body(engine, exchange, mostBytes)
    });
    return trap.members(request, {
        getHeader: function (name) { return exchange.header(String(name)); },
        getSupportedResponseContentTypes: function () { return engine.adopt(accepted(exchange)); }
    });
};

/** @returns {java.io.InputStream|null} what is behind a `dataStream` that a script hands back */
exports.stream = function (object) {
    return object && object.$stream || null;
};

/** @returns {Array<string>} media types the caller takes */
function accepted(exchange) {
    return (exchange.header('Accept') || '*/*').split(',').map(function (each) {
        return each.split(';')[0].trim();
    });
}

exports.accepted = accepted;

function body(engine, exchange, mostBytes) {
    var made = guarded('request.body');
    var taken = false;
    // Whoever comes second finds the stream at its end.
    function once(read, empty) {
        var value = taken ? empty : read();
        taken = true;
        return value;
    }
    function text() {
        return exchange.text(mostBytes, 400);
    }
    reader(made, 'dataString', function () { return once(text, ''); });
    reader(made, 'data', function () { return once(function () { return parsed(engine, text()); }, null); });
    reader(made, 'dataStream', function () {
        return opaque(once(function () {
            return exchange.raw.getRequestBody();
        }, java.io.InputStream.nullInputStream()));
    });
    return made;
}

function parsed(engine, text) {
    try {
        return text === '' ? null : engine.adopt(JSON.parse(text));
    } catch (error) {
        throw new web.Refusal(400, 'Exception while reading request', 'The body is not valid JSON');
    }
}

// Scripts hand it on; they get no Java object to call methods of.
function opaque(stream) {
    return trap.members({toString: function () { return '[object InputStream]'; }}, {$stream: stream});
}

function guarded(what) {
    return Object.create(trap.create('Request', function (start, name) {
        throw new TypeError(what + ' has no member ' + name);
    }, function (start, name) {
        throw new TypeError(what + '.' + name + ' cannot be set: the request is read-only');
    }));
}

function constants(object, values) {
    Object.keys(values).forEach(function (name) {
        reader(object, name, function () { return values[name]; });
    });
}

function reader(object, name, get) {
    Object.defineProperty(object, name, {enumerable: true, get: get, set: function () {
        throw new TypeError('request: ' + name + ' cannot be set: the request is read-only');
    }});
}
