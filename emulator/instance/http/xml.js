/**
 * XML that comes in over HTTP: parsed without anything from outside, walked as lists.
 */

var web = require('http/exchange');

/**
 * @param {string} text
 * @returns {org.w3c.dom.Element} the document's element
 */
exports.parse = function (text, what) {
    try {
        return builder().parse(source(text)).getDocumentElement();
    } catch (error) {
        if (error instanceof web.Refusal || !error.javaException) {
            throw error;
        }
        throw new web.Refusal(400, 'Bad Request', what + ' is not well-formed XML: ' +
            String(error.javaException.getMessage()).slice(0, 300));
    }
};

/** @returns {Array} the elements directly in an element */
exports.children = function (element) {
    var found = [];
    var node = element.getFirstChild();
    for (; node !== null; node = node.getNextSibling()) {
        if (node.getNodeType() === org.w3c.dom.Node.ELEMENT_NODE) {
            found.push(node);
        }
    }
    return found;
};

/** @returns {string} an element's name without its prefix */
exports.name = function (element) {
    return String(element.getNodeName()).replace(/^.*:/, '');
};

/** @returns {string} */
exports.text = function (element) {
    return String(element.getTextContent());
};

/** @returns {Object} the elements directly in an element, as name → text */
exports.fields = function (element) {
    var found = {};
    exports.children(element).forEach(function (child) { found[exports.name(child)] = exports.text(child); });
    return found;
};

/** @returns {string} text that may stand between tags or in an attribute */
exports.escape = function (text) {
    return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
        .replace(/\r/g, '&#13;');
};

function builder() {
    var factory = javax.xml.parsers.DocumentBuilderFactory.newInstance();
    factory.setFeature(javax.xml.XMLConstants.FEATURE_SECURE_PROCESSING, true);
    factory.setAttribute(javax.xml.XMLConstants.ACCESS_EXTERNAL_DTD, '');
    factory.setAttribute(javax.xml.XMLConstants.ACCESS_EXTERNAL_SCHEMA, '');
    var made = factory.newDocumentBuilder();
    // The default one prints each error before it is thrown.
    made.setErrorHandler(null);
    return made;
}

function source(text) {
    if (/<!DOCTYPE/i.test(text)) {
        throw new web.Refusal(400, 'Bad Request', 'A document type declaration is not taken');
    }
    return new org.xml.sax.InputSource(new java.io.StringReader(text));
}
