/**
 * The instance's direct SOAP service, `/TABLE.do?SOAP`: getRecords, insert and update. [KB0855595]
 *
 * Everything the MID tells or asks goes this way, with its account's password; the session cookie that comes
 * back is what the push channel signs in with.
 */

var http = require('http');
var xml = require('xml');

var READ_TIMEOUT_MS = 30000;
var QUERY = '.do?SOAP&redirectSupported=true&displayvalue=all';

/**
 * Connect to an instance; nothing is sent yet.
 *
 * @param {string} url the instance's address
 * @param {{name: string, password: string}} account the MID's
 * @returns {Object} `getRecords`, `insert`, `update`, `cookie`
 */
exports.connect = function (url, account) {
    var base = url.replace(/\/+$/, '');
    var authorization = 'Basic ' + base64(account.name + ':' + account.password);
    var cookies = new java.util.concurrent.ConcurrentHashMap();

    function call(table, operation, fields) {
        var answer = http.post(base + '/' + table + QUERY, {
            headers: headers(authorization, cookieLine(cookies), operation),
            body: envelope(operation, fields),
            timeoutMs: READ_TIMEOUT_MS
        });
        answer.cookies.forEach(function (pair) { cookies.put(pair.split('=')[0], pair); });
        return body(answer, operation);
    }

    return {
        /** @returns {Array<Object<string, string>>} the rows that fit the criteria */
        getRecords: function (table, criteria) {
            return xml.all(call(table, 'getRecords', criteria), 'getRecordsResult').map(xml.fields);
        },
        /** @returns {?string} the new row's sys_id; null when the instance kept none */
        insert: function (table, row) {
            return text(call(table, 'insert', row), 'sys_id');
        },
        update: function (table, row) {
            return text(call(table, 'update', row), 'sys_id');
        },
        /**
         * @returns {string} the session's cookies; a request is made when there are none or `fresh` is
         * wanted
         */
        cookie: function (fresh) {
            if (fresh || cookies.isEmpty()) {
                cookies.clear();
                call('ecc_agent', 'getRecords', {__limit: '1'});
            }
            return cookieLine(cookies);
        }
    };
};

/**
 * A request that the instance answered and did not fulfil.
 *
 * @param {string} message what it said
 * @param {number} status the HTTP status
 * @param {?number} retryAfterSeconds what it asked for, if it did
 */
function Refusal(message, status, retryAfterSeconds) {
    this.name = 'Refusal';
    this.message = message;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
}
Refusal.prototype = Object.create(Error.prototype);
/** Whether the very same request may succeed later. */
Refusal.prototype.passing = function () {
    return this.status === 401 || this.status === 408 || this.status === 429 || this.status >= 500;
};
exports.Refusal = Refusal;

function headers(authorization, cookie, operation) {
    var all = {
        'Authorization': authorization,
        'Content-Type': 'text/xml; charset=UTF-8',
        'SOAPAction': operation
    };
    if (cookie) {
        all.Cookie = cookie;
    }
    return all;
}

function envelope(operation, fields) {
    var inner = Object.keys(fields).map(function (name) {
        return '<' + name + '>' + xml.escape(fields[name]) + '</' + name + '>';
    }).join('');
    return '<?xml version="1.0" encoding="UTF-8"?>' +
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>' +
        '<' + operation + '>' + inner + '</' + operation + '>' +
        '</soapenv:Body></soapenv:Envelope>';
}

function body(answer, operation) {
    var document;
    if (answer.status !== 200) {
        throw new Refusal(operation + ' was answered ' + answer.status, answer.status, retryAfter(answer));
    }
    document = xml.parse(answer.text);
    if (xml.all(document, 'Fault').length > 0) {
        throw new Refusal(operation + ' failed: ' + text(document, 'faultstring'), 500, null);
    }
    return document;
}

function text(document, name) {
    var element = xml.all(document, name)[0];
    return element ? String(element.getTextContent()) || null : null;
}

function retryAfter(answer) {
    var value = answer.header('Retry-After');
    return value !== null && /^[0-9]+$/.test(value) ? Number(value) : null;
}

function cookieLine(cookies) {
    var pairs = [];
    var each = cookies.values().iterator();
    while (each.hasNext()) {
        pairs.push(String(each.next()));
    }
    return pairs.join('; ');
}

function base64(text) {
    return String(java.util.Base64.getEncoder().encodeToString(new java.lang.String(text).getBytes('UTF-8')));
}
