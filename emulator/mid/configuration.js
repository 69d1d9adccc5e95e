/**
 * `config.xml`: where the instance is, who the MID is, and every other parameter.
 *
 * A parameter with `secure="true"` is encrypted in the file at the first start that sees it in clear.
 * [mid-server-manual-encryption]
 */

var xml = require('xml');

var REQUIRED = ['url', 'mid.instance.username', 'mid.instance.password', 'name'];
/** What the instance's copy of a secure value reads. */
var MASK = '*****';

/**
 * Read the file and encrypt what must not stay in clear.
 *
 * @param {java.io.File} file config.xml
 * @param {Object} cipher of cipher.js
 * @returns {Object} `get`, `text`, `number`, `flag`, `masked` and `save`
 * @throws {Error} when the file is missing, is not XML, or lacks a parameter
 */
exports.read = function (file, cipher) {
    var document = load(file);
    var values = new java.util.concurrent.ConcurrentHashMap();
    var secure = {};
    var changed = false;

    elements(document).forEach(function (element) {
        var name = String(element.getAttribute('name'));
        var value = String(element.getAttribute('value'));
        secure[name] = String(element.getAttribute('secure')) === 'true';
        values.put(name, secure[name] ? opened(value, name, cipher) : value);
        changed = (secure[name] && sealed(element, cipher)) || changed;
    });
    if (changed) {
        store(file, document);
    }
    check(values);
    return view(file, document, values, secure);
};

function view(file, document, values, secure) {
    function get(name) {
        var value = values.get(name);
        return value === null ? null : String(value);
    }

    return {
        /** @returns {?string} a parameter's value in clear, null when there is none */
        get: get,
        /** @returns {string} the value, or the fallback when it is missing or empty */
        text: function (name, fallback) { return get(name) || fallback; },
        /** @returns {number} a whole number of at least 1 */
        number: function (name, fallback) { return whole(name, get(name), fallback); },
        flag: function (name) { return get(name) === 'true'; },
        /** @returns {Array<{name: string, value: string}>} all parameters, as the instance may see them */
        masked: function () {
            return Object.keys(secure).map(function (name) {
                return {name: name, value: secure[name] ? MASK : get(name)};
            });
        },
        /** Write one parameter into the file, as the MID does with the sys_id it was given. */
        save: function (name, value) {
            values.put(name, value);
            elementOf(document, name).setAttribute('value', value);
            store(file, document);
        }
    };
}

function load(file) {
    if (!file.exists()) {
        throw new Error(file + ' is missing');
    }
    try {
        return xml.parse(new java.lang.String(java.nio.file.Files.readAllBytes(file.toPath()), 'UTF-8'));
    } catch (error) {
        throw new Error(file + ' is ' + error.message);
    }
}

function elements(document) {
    return xml.children(document.getDocumentElement(), 'parameter');
}

function elementOf(document, name) {
    var found = elements(document).filter(function (element) {
        return String(element.getAttribute('name')) === name;
    });
    return found[0] || xml.append(document.getDocumentElement(), 'parameter', {name: name});
}

function opened(value, name, cipher) {
    try {
        return cipher.sealed(value) ? cipher.open(value) : value;
    } catch (ignore) {
        throw new Error('parameter ' + name + ' was encrypted with another key: write it in clear once more');
    }
}

/** @returns {boolean} whether the element had to be changed */
function sealed(element, cipher) {
    var value = String(element.getAttribute('value'));
    if (value === '' || cipher.sealed(value)) {
        return false;
    }
    element.setAttribute('value', cipher.seal(value));
    return true;
}

/** A crash in the middle must not lose the only copy, so the file is replaced and never rewritten. */
function store(file, document) {
    var files = java.nio.file.Files;
    var part = new java.io.File(file.getPath() + '.part').toPath();
    files.copy(file.toPath(), part,
        java.nio.file.StandardCopyOption.COPY_ATTRIBUTES, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    files.write(part, new java.lang.String(xml.serialize(document)).getBytes('UTF-8'));
    files.move(part, file.toPath(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
}

function check(values) {
    REQUIRED.forEach(function (name) {
        // An empty Java string is true, hence the text.
        if (!String(values.get(name) || '')) {
            throw new Error('config.xml lacks the parameter ' + name);
        }
    });
    if (!/^https?:\/\/[^\/]/.test(String(values.get('url')))) {
        throw new Error('parameter url must be an address that begins with http:// or https://');
    }
}

function whole(name, text, fallback) {
    if (text === null || text === '') {
        return fallback;
    }
    if (!/^[1-9][0-9]{0,9}$/.test(text)) {
        throw new Error('parameter ' + name + ' must be a whole number of at least 1');
    }
    return Number(text);
}
