/** POST over HTTP, once: what never came back is for the caller to judge. */

var CONNECT_TIMEOUT_MS = 5000;

// Java drops the Origin that the push channel demands, unless told so before its first connection.
java.lang.System.setProperty('sun.net.http.allowRestrictedHeaders', 'true');

/**
 * Send one POST.
 *
 * The fixed length keeps Java from sending a POST a second time by itself when its answer does not arrive.
 *
 * @param {string} url where to
 * @param {{headers: Object<string, string>, body: string, timeoutMs: number}} request
 * @returns {{status: number, text: string, header: function(string): ?string, cookies: Array<string>}}
 * @throws {Error} when there is no answer, naming the reason
 */
exports.post = function (url, request) {
    var data = new java.lang.String(request.body).getBytes('UTF-8');
    var connection = new java.net.URL(url).openConnection(java.net.Proxy.NO_PROXY);
    try {
        prepare(connection, request, data.length);
        send(connection, data);
        return answer(connection);
    } catch (error) {
        throw error.javaException ? failure(error.javaException) : error;
    }
};

function prepare(connection, request, length) {
    connection.setRequestMethod('POST');
    connection.setDoOutput(true);
    connection.setInstanceFollowRedirects(false);
    connection.setConnectTimeout(CONNECT_TIMEOUT_MS);
    connection.setReadTimeout(request.timeoutMs);
    connection.setFixedLengthStreamingMode(new java.lang.Integer(length));
    Object.keys(request.headers).forEach(function (name) {
        connection.setRequestProperty(name, request.headers[name]);
    });
}

function send(connection, data) {
    var stream = connection.getOutputStream();
    try {
        stream.write(data);
    } finally {
        stream.close();
    }
}

function answer(connection) {
    var status = statusOf(connection);
    var stream = status >= 400 ? connection.getErrorStream() : connection.getInputStream();
    return {
        status: status,
        text: stream === null ? '' : read(stream),
        header: function (name) {
            var value = connection.getHeaderField(name);
            return value === null ? null : String(value);
        },
        cookies: cookies(connection)
    };
}

/** A 401 in streaming mode is thrown by Java, as it cannot repeat the request with other credentials. */
function statusOf(connection) {
    try {
        return Number(connection.getResponseCode());
    } catch (error) {
        if (error.javaException instanceof java.net.HttpRetryException) {
            return Number(error.javaException.responseCode());
        }
        throw error;
    }
}

function read(stream) {
    try {
        return String(new java.lang.String(stream.readAllBytes(), 'UTF-8'));
    } finally {
        stream.close();
    }
}

/** By number, because the map of all fields tells `Set-Cookie` from `Set-cookie`. */
function cookies(connection) {
    var found = [];
    var i;
    for (i = 0; connection.getHeaderField(i) !== null; i += 1) {
        if (/^set-cookie$/i.test(String(connection.getHeaderFieldKey(i)))) {
            found.push(String(connection.getHeaderField(i)).split(';')[0]);
        }
    }
    return found;
}

function failure(exception) {
    return new Error(String(exception.getClass().getSimpleName()) + ': ' + exception.getMessage());
}
