/**
 * XMLDocument2 and its nodes: the documented methods and no others. [c_XMLDocument2ScopedAPI,
 * c_XMLNodeScopedAPI]
 *
 * In particular a node cannot be given attributes: whoever writes attributes builds the text.
 */

var TYPES = Packages.org.w3c.dom.Node;
var SET = Packages.javax.xml.xpath.XPathConstants.NODESET;

/** `[1]`, `[position()=2]`, `[last()]`: getFirstNode does not take them on the platform. */
var POSITION = /\[\s*(\d+|last\(\)|position\(\)[^\]]*)\s*\]/;

exports.install = function (scope) {
    scope.XMLDocument2 = XMLDocument2;
};

function XMLDocument2() {
    if (!(this instanceof XMLDocument2)) {
        throw new TypeError('XMLDocument2 is a constructor: use new');
    }
    this._document = null;
    this._current = null;
    this._aware = false;
    this._cdata = false;
    this._found = {nodes: [], index: -1};
}

exports.XMLDocument2 = XMLDocument2;

XMLDocument2.prototype = {
    constructor: XMLDocument2,

    /** @returns {boolean} false when the text is no well-formed document; it is empty then */
    parseXML: function (text) {
        this._document = parsed(String(text), this._aware, this._cdata);
        this._current = this._document && this._document.getDocumentElement();
        return this._document !== null;
    },
    setNamespaceAware: function (aware) { this._aware = Boolean(aware); },
    setEnableCDATAReporting: function (report) { this._cdata = Boolean(report); },

    getDocumentElement: function () { return node(this._needed().getDocumentElement()); },
    getNode: function (path) { return node(this._select(path)[0] || null); },
    getNodeText: function (path) {
        var found = this._select(path)[0];
        return found ? String(found.getTextContent()) : null;
    },
    getFirstNode: function (path) {
        if (POSITION.test(String(path))) {
            throw new Error('getFirstNode does not take positions: ' + path);
        }
        this._found = this._select(path);
        return node(this._found[0] || null);
    },
    getNextNode: function (previous) {
        var before = given(previous, 'getNextNode')._node;
        var at = this._found.map(function (one) { return Boolean(one.isSameNode(before)); }).indexOf(true);
        return node(at >= 0 && this._found[at + 1] || null);
    },

    createElement: function (name) { return this._append(name, null); },
    createElementWithTextValue: function (name, text) { return this._append(name, String(text)); },
    setCurrentElement: function (element) { this._current = given(element, 'setCurrentElement')._node; },
    toString: function () { return this._document === null ? '' : written(this._document); },

    _needed: function () {
        if (this._document === null) {
            throw nothing('the document', 'has not been parsed');
        }
        return this._document;
    },
    _select: function (path) {
        var list = selected(String(path), this._needed());
        var found = [];
        var i;
        for (i = 0; i < list.getLength(); i += 1) {
            found.push(list.item(i));
        }
        return found;
    },
    _append: function (name, text) {
        var element;
        this._document = this._document || builder(false, false).newDocument();
        element = this._document.createElement(String(name));
        if (text !== null) {
            element.appendChild(this._document.createTextNode(text));
        }
        (this._current || this._document).appendChild(element);
        // The first element becomes the root, and what follows goes into it.
        this._current = this._current || element;
        return node(element);
    }
};

function XMLNode(dom) {
    this._node = dom;
}

XMLNode.prototype = {
    constructor: XMLNode,
    getNodeName: function () { return String(this._node.getNodeName()); },
    getNodeValue: function () { return optional(this._node.getNodeValue()); },
    getTextContent: function () { return optional(this._node.getTextContent()); },
    getFirstChild: function () { return node(this._node.getFirstChild()); },
    getLastChild: function () { return node(this._node.getLastChild()); },
    getChildNodeIterator: function () { return new XMLNodeIterator(children(this._node)); },
    isCDATANode: function () { return this._node.getNodeType() === TYPES.CDATA_SECTION_NODE; },
    hasAttribute: function (name) {
        return isElement(this._node) && Boolean(this._node.hasAttribute(String(name)));
    },
    getAttribute: function (name) {
        return this.hasAttribute(name) ? String(this._node.getAttribute(String(name))) : null;
    },
    getAttributes: function () {
        var map = this._node.getAttributes();
        var values = {};
        var i;
        for (i = 0; map !== null && i < map.getLength(); i += 1) {
            values[String(map.item(i).getNodeName())] = String(map.item(i).getNodeValue());
        }
        return values;
    },
    toString: function () { return written(this._node); }
};

function XMLNodeIterator(nodes) {
    this._nodes = nodes;
    this._next = 0;
}

XMLNodeIterator.prototype = {
    constructor: XMLNodeIterator,
    hasNext: function () { return this._next < this._nodes.length; },
    next: function () {
        if (!this.hasNext()) {
            throw nothing('the iterator', 'has no more nodes');
        }
        this._next += 1;
        return node(this._nodes[this._next - 1]);
    }
};

function node(dom) {
    return dom === null || dom === undefined ? null : new XMLNode(dom);
}

function given(value, method) {
    if (!(value instanceof XMLNode)) {
        throw nothing(method, 'was given no node');
    }
    return value;
}

/** On the platform Java's own error comes through. */
function nothing(what, why) {
    return new Error('java.lang.NullPointerException: ' + what + ' ' + why);
}

function isElement(dom) {
    return dom.getNodeType() === TYPES.ELEMENT_NODE;
}

function optional(text) {
    return text === null ? null : String(text);
}

function children(dom) {
    var found = [];
    var child;
    for (child = dom.getFirstChild(); child !== null; child = child.getNextSibling()) {
        found.push(child);
    }
    return found;
}

function xpath() {
    return Packages.javax.xml.xpath.XPathFactory.newInstance().newXPath();
}

/** An error of ours, because Java's would bring a Java object with it. */
function selected(path, document) {
    try {
        return xpath().evaluate(path, document, SET);
    } catch (error) {
        throw new Error('"' + path + '" is not an XPath expression');
    }
}

function parsed(text, aware, cdata) {
    var source = new Packages.org.xml.sax.InputSource(new java.io.StringReader(text));
    try {
        return builder(aware, cdata).parse(source);
    } catch (error) {
        if (error.javaException instanceof Packages.org.xml.sax.SAXException) {
            return null;
        }
        throw error;
    }
}

function builder(aware, cdata) {
    var factory = Packages.javax.xml.parsers.DocumentBuilderFactory.newInstance();
    var made;
    // A document type could name files of this computer.
    factory.setFeature('http://apache.org/xml/features/disallow-doctype-decl', true);
    factory.setNamespaceAware(aware);
    factory.setCoalescing(!cdata);
    made = factory.newDocumentBuilder();
    // The usual handler prints every parse error on stderr.
    made.setErrorHandler(null);
    return made;
}

function written(dom) {
    var writer = new java.io.StringWriter();
    var transformer = Packages.javax.xml.transform.TransformerFactory.newInstance().newTransformer();
    var whole = dom.getNodeType() === TYPES.DOCUMENT_NODE;
    if (whole) {
        dom.setXmlStandalone(true);
    }
    transformer.setOutputProperty('omit-xml-declaration', whole ? 'no' : 'yes');
    transformer.transform(new Packages.javax.xml.transform.dom.DOMSource(dom),
        new Packages.javax.xml.transform.stream.StreamResult(writer));
    return String(writer).replace(' standalone="no"', '');
}

/**
 * The text of a document as JSON: elements by name, attributes with an @, repeated ones as lists.
 *
 * @param {string} text
 * @returns {string}
 */
exports.toJson = function (text) {
    var document = parsed(text, false, false);
    var root;
    if (document === null) {
        throw new Error('xmlToJSON was given text that is not well-formed XML');
    }
    root = document.getDocumentElement();
    var holder = {};
    holder[String(root.getNodeName())] = plain(root);
    return JSON.stringify(holder);
};

function plain(element) {
    var attributes = new XMLNode(element).getAttributes();
    var inner = children(element).filter(isElement);
    var names = Object.keys(attributes);
    if (!inner.length && !names.length) {
        return String(element.getTextContent());
    }
    var value = names.reduce(function (object, name) {
        object['@' + name] = attributes[name];
        return object;
    }, {});
    inner.forEach(function (child) { gather(value, String(child.getNodeName()), plain(child)); });
    if (!inner.length) {
        value['#text'] = String(element.getTextContent());
    }
    return value;
}

function gather(object, name, value) {
    if (object[name] === undefined) {
        object[name] = value;
    } else {
        object[name] = (Array.isArray(object[name]) ? object[name] : [object[name]]).concat([value]);
    }
}
