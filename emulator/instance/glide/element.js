/**
 * GlideElement: one column of a GlideRecord, alive. It shows the row the record stands on now, not the one it
 * stood on when it was asked for. [c_GlideElementAPI, c_GlideElementScopedAPI]
 */

var cipher = require('../cipher');
var display = require('../display');
var failure = require('../failure');
var privilege = require('../privilege');
var trap = require('./trap');

var NOT_FOUND = Packages.org.mozilla.javascript.Scriptable.NOT_FOUND;

var TRUTHS = {'true': true, '1': true, '1.0': true, 'false': false, '0': false, '0.0': false};

/**
 * The element of a column; the same object each time.
 *
 * @param {Cursor} cursor
 * @param {string} name column
 */
exports.of = function (cursor, name) {
    if (!cursor.elements[name]) {
        var element = cursor.column(name).type === 'boolean' ? truth() : Object.create(ELEMENT);
        Object.defineProperty(element, '$', {value: {cursor: cursor, name: name}});
        cursor.elements[name] = element;
    }
    return cursor.elements[name];
};

/**
 * An element that equals true, 'true', 1 and '1' alike, as a yes/no column does on the platform; plain
 * JavaScript has no such object, but Rhino asks its objects what they are equal to.
 */
function truth() {
    var element = new JavaAdapter(Packages.org.mozilla.javascript.ScriptableObject, {
        getClassName: function () { return 'GlideElement'; },
        equivalentValues: function (other) {
            var known = TRUTHS[String(other)];
            return known === undefined ? NOT_FOUND : java.lang.Boolean.valueOf(known === element.valueOf());
        }
    });
    element.__proto__ = BOOLEAN;
    return element;
}

/** Is it a GlideElement of ours? */
exports.isElement = function (thing) {
    return Object.prototype.isPrototypeOf.call(ELEMENT, thing);
};

function valueOf(element) {
    return element.$.cursor.get(element.$.name);
}

function columnOf(element) {
    return element.$.cursor.column(element.$.name);
}

function earlier(element) {
    return element.$.cursor.before[element.$.name] || null;
}

function same(value, given) {
    return String(value === null ? '' : value) === String(given === null || given === undefined ? '' : given);
}

var METHODS = {
    toString: function () {
        return valueOf(this) || '';
    },
    /** Was it changed since the row was read, or, in a business rule, by the write in hand? */
    changes: function () {
        return this.$.cursor.changed(this.$.name);
    },
    changesFrom: function (value) {
        return this.$.cursor.changed(this.$.name) && same(earlier(this), value);
    },
    changesTo: function (value) {
        return this.$.cursor.changed(this.$.name) && same(valueOf(this), value);
    },
    nil: function () {
        return valueOf(this) === null;
    },
    setValue: function (value) {
        this.$.cursor.set(this.$.name, value);
    },
    /** The one way to write a password2 column; elsewhere a reference is looked up by its display value. */
    setDisplayValue: function (value) {
        var cursor = this.$.cursor;
        if (columnOf(this).type === 'password2') {
            cursor.put(this.$.name, cipher.sealed(cursor.platform, value));
        } else {
            cursor.set(this.$.name, display.parsed(cursor.platform, columnOf(this), value));
        }
    },
    getDisplayValue: function () {
        return display.of(this.$.cursor.platform, this.$.cursor.definition, this.$.name, valueOf(this));
    },
    getDecryptedValue: function () {
        if (columnOf(this).type !== 'password2') {
            throw failure.error(this.$.cursor.table + '.' + this.$.name + ' is not a password2 column');
        }
        own(this.$.cursor);
        return cipher.opened(this.$.cursor.platform, valueOf(this));
    },
    getRefRecord: function () {
        return this.$.cursor.referenced(this.$.name);
    },
    getReferenceTable: function () {
        return columnOf(this).reference;
    },
    getName: function () {
        return this.$.name;
    },
    getLabel: function () {
        return columnOf(this).label;
    },
    getTableName: function () {
        return this.$.cursor.table;
    },
    canRead: function () {
        return permitted(this, 'read');
    },
    canWrite: function () {
        return permitted(this, this.$.cursor.isNew ? 'create' : 'write');
    }
};

/** Secrets are read in the scope of their table. [password-2way-encrypted-fields] */
function own(cursor) {
    if (cursor.scope !== privilege.owner(cursor.platform, cursor.definition)) {
        throw failure.error('getDecryptedValue() on ' + cursor.table + ': not allowed from the scope ' +
            cursor.scope);
    }
}

function permitted(element, operation) {
    var cursor = element.$.cursor;
    return cursor.platform.acl.allowed(cursor.platform.context.current().user, cursor.table, operation,
        cursor.values, element.$.name);
}

/** A name that is no method is a column of the referenced row: `current.user.name`. */
function walked(element, name) {
    var column = columnOf(element);
    if (!column.reference) {
        throw failure.error(element.$.cursor.table + '.' + element.$.name +
            ' is a GlideElement without a member ' + name + '; make it a string first: \'\' + element');
    }
    return element.$.cursor.referenced(element.$.name)[name];
}

function refused(element, name) {
    throw failure.error('cannot set ' + name + ' through ' + element.$.cursor.table + '.' + element.$.name +
        '; get the record and update it');
}

var ELEMENT = trap.members(Object.create(trap.create('GlideElement', walked, refused)), METHODS);

/** A yes/no column reads true or false as text, while getValue() gives what is stored. */
var BOOLEAN = trap.members(Object.create(ELEMENT), {
    toString: function () { return String(valueOf(this) === '1'); },
    valueOf: function () { return valueOf(this) === '1'; }
});
trap.members(ELEMENT, {valueOf: function () { return this; }});
