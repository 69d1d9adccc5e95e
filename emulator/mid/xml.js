/** XML by Java's own parser and serialiser, which is what the MID uses too, with their quirks. */

var w3c = Packages.org.w3c.dom;
var javaxml = Packages.javax.xml;

/**
 * Parse a document. DTDs are refused: payloads come from a queue that others write.
 *
 * @param {string} text the document
 * @returns {org.w3c.dom.Document}
 * @throws {Error} when the text is not XML
 */
exports.parse = function (text) {
    var factory = javaxml.parsers.DocumentBuilderFactory.newInstance();
    var builder;
    factory.setFeature('http://apache.org/xml/features/disallow-doctype-decl', true);
    factory.setNamespaceAware(true);
    builder = factory.newDocumentBuilder();
    builder.setErrorHandler(null);
    try {
        return builder.parse(new Packages.org.xml.sax.InputSource(new java.io.StringReader(text)));
    } catch (error) {
        throw new Error('not XML: ' + reason(error));
    }
};

/** @returns {org.w3c.dom.Document} a document with nothing but its root element */
exports.create = function (root) {
    var document = javaxml.parsers.DocumentBuilderFactory.newInstance().newDocumentBuilder().newDocument();
    document.appendChild(document.createElement(root));
    return document;
};

/** Append an element with attributes and, if given, text; return it. */
exports.append = function (parent, name, attributes, text) {
    var element = parent.getOwnerDocument().createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { element.setAttribute(key, attributes[key]); });
    if (text !== undefined) {
        element.appendChild(parent.getOwnerDocument().createTextNode(text));
    }
    return parent.appendChild(element);
};

/**
 * Write a document out.
 *
 * Java's serialiser writes a character that XML forbids as a reference, which no parser then accepts. That is
 * the platform's behaviour, so it stays.
 */
exports.serialize = function (document) {
    var transformer = javaxml.transform.TransformerFactory.newInstance().newTransformer();
    var writer = new java.io.StringWriter();
    document.setXmlStandalone(true);
    transformer.setOutputProperty('encoding', 'UTF-8');
    transformer.setOutputProperty('omit-xml-declaration', 'yes');
    transformer.transform(
        new javaxml.transform.dom.DOMSource(document), new javaxml.transform.stream.StreamResult(writer));
    return '<?xml version="1.0" encoding="UTF-8"?>' + String(writer.toString());
};

/** @returns {Array<org.w3c.dom.Element>} the child elements, those of one local name if it is given */
exports.children = function (element, name) {
    var found = [];
    var node = element.getFirstChild();
    while (node) {
        if (node.getNodeType() === w3c.Node.ELEMENT_NODE && (!name || local(node) === name)) {
            found.push(node);
        }
        node = node.getNextSibling();
    }
    return found;
};

/** @returns {Array<org.w3c.dom.Element>} all elements of one local name below a node, in document order */
exports.all = function (node, name) {
    var list = node.getElementsByTagNameNS('*', name);
    var found = [];
    var i;
    for (i = 0; i < list.getLength(); i += 1) {
        found.push(list.item(i));
    }
    return found;
};

/** @returns {Object<string, string>} the text of each child element by its name */
exports.fields = function (element) {
    var fields = {};
    exports.children(element).forEach(function (child) {
        fields[local(child)] = String(child.getTextContent());
    });
    return fields;
};

/**
 * @returns {Array<{name: string, value: string}>} the `parameter` elements of a payload's or a file's
 * root
 */
exports.parameters = function (document) {
    return exports.children(document.getDocumentElement(), 'parameter').map(function (element) {
        return {name: String(element.getAttribute('name')), value: String(element.getAttribute('value'))};
    });
};

/** Escape text for an element; a carriage return would arrive as a line feed otherwise. */
exports.escape = function (text) {
    return String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
        .replace(/\r/g, '&#13;');
};

function local(node) {
    return String(node.getLocalName() || node.getNodeName());
}

function reason(error) {
    return String(error.javaException ? error.javaException.getMessage() : error);
}
