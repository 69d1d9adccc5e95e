/**
 * SOAP 1.1 envelopes.
 */

var web = require('http/exchange');
var xml = require('http/xml');

var HEAD = '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="' +
    'http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body>';
var TAIL = '</SOAP-ENV:Body></SOAP-ENV:Envelope>';
/** XML 1.0 cannot carry these in any form. */
var FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

exports.TYPE = 'text/xml;charset=UTF-8';

/**
 * @param {string} text
 * @returns {{operation: string, fields: Object}} the operation and its child elements
 */
exports.read = function (text) {
    var root = xml.parse(text, 'The SOAP request');
    var body = xml.children(root).filter(function (element) { return xml.name(element) === 'Body'; })[0];
    var calls = body === undefined ? [] : xml.children(body);
    if (xml.name(root) !== 'Envelope' || calls.length !== 1) {
        throw new web.Refusal(500, 'Not a SOAP request',
            'One Envelope with one Body with one operation is expected');
    }
    return {operation: xml.name(calls[0]), fields: xml.fields(calls[0])};
};

/**
 * @param {string} operation
 * @param {Array<Object>} parts each becomes elements: name → text, or name → an object of such
 */
exports.answer = function (operation, parts) {
    return HEAD + element(operation + 'Response', parts.map(inner).join('')) + TAIL;
};

/** @returns {string} an envelope that says why nothing was done */
exports.fault = function (reason) {
    return HEAD + element('SOAP-ENV:Fault',
        inner({faultcode: 'SOAP-ENV:Server', faultstring: reason, detail: reason})) + TAIL;
};

function inner(part) {
    return Object.keys(part).map(function (name) {
        var value = part[name];
        var nested = value !== null && typeof value === 'object';
        return element(name, nested ? inner(value) : xml.escape((value || '').replace(FORBIDDEN, '')));
    }).join('');
}

function element(name, content) {
    return content === '' ? '<' + name + '/>' : '<' + name + '>' + content + '</' + name + '>';
}
