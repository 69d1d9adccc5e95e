/**
 * GlideRecord as scripts see it: the methods of the documentation, and each column as a live property.
 * [c_GlideRecordAPI, c_GlideRecordScopedAPI]
 *
 * What is no column and no method is refused: on the platform it would be undefined, or be stored nowhere.
 */

var condition = require('./condition');
var cursors = require('./cursor');
var display = require('../display');
var element = require('./element');
var failure = require('../failure');
var identity = require('../identity');
var own = require('../own');
var query = require('../query');
var trap = require('./trap');

/**
 * Put GlideRecord on a script's namespace.
 *
 * @param {Object} scope
 * @param {Object} platform
 * @param {string} scopeName
 */
exports.install = function (scope, platform, scopeName) {
    scope.GlideRecord = exports.constructor(platform, 'GlideRecord', METHODS, {scope: scopeName});
};

/** A constructor of records with the given methods, which must stand on METHODS. */
exports.constructor = function (platform, name, methods, maker) {
    function constructor(table) {
        if (!(this instanceof constructor)) {
            throw new TypeError(name + ' is a constructor: use new');
        }
        if (table === undefined || table === null || String(table) === '') {
            throw new TypeError('new ' + name + '() needs the name of a table');
        }
        return faced(new cursors.Cursor(platform, String(table), maker), methods);
    }
    constructor.prototype = methods;
    return constructor;
};

/**
 * Show a row to a script: the `current` and `previous` of a business rule, or a condition's `current`.
 *
 * @param {Object} platform
 * @param {string} table
 * @param {Object} row the script's changes are made in this very object
 * @param {{previous: Object, operation: string}=} facts operation: 'insert', 'update' or 'delete'
 * @returns {Object} a GlideRecord standing on the row
 */
exports.wrap = function (platform, table, row, facts) {
    var given = facts || {};
    var cursor = new cursors.Cursor(platform, table);
    cursor.known();
    cursor.attach(row, given.previous, given.operation);
    return faced(cursor, METHODS);
};

/** A GlideRecord over the rows that have these values, already queried. */
exports.over = function (platform, table, values) {
    var cursor = new cursors.Cursor(platform, table);
    cursor.known();
    cursor.conditions.push(query.equal(values));
    cursor.run();
    return faced(cursor, METHODS);
};

/** Did the script call setAbortAction(true) on this record? */
exports.isAborted = function (record) {
    return record.$.aborted;
};

/** The GlideRecord a reference column leads to; an empty one when it leads nowhere. */
function referenced(cursor, name) {
    var column = cursor.column(name);
    var sysId = cursor.get(name);
    if (!column.reference) {
        throw failure.error(cursor.table + '.' + name + ' is not a reference');
    }
    var kept = cursor.references[name];
    if (!kept || kept.sysId !== sysId) {
        var target = new cursors.Cursor(cursor.platform, column.reference,
            {scope: cursor.scope, policy: cursor.policy});
        if (sysId) {
            target.find('sys_id', sysId);
        }
        kept = cursor.references[name] = {sysId: sysId, record: faced(target, METHODS)};
    }
    return kept.record;
}

/** The script's side of a cursor. */
function faced(cursor, methods) {
    var face = cursor.definition ? faceOf(cursor.definition, methods) : methods;
    // Elements lead to other records without knowing how one is made.
    cursor.referenced = function (name) { return referenced(cursor, name); };
    return Object.create(face, {$: {value: cursor}});
}

/**
 * One object per table with a getter and setter for each column: ten times as fast as asking for each name.
 */
function faceOf(definition, methods) {
    var face = definition.faces.get(methods);
    if (face === null) {
        face = Object.create(methods);
        Object.keys(definition.columns).forEach(function (name) { property(face, name); });
        definition.faces.put(methods, face);
    }
    return face;
}

function property(face, name) {
    Object.defineProperty(face, name, {
        enumerable: true,
        get: function () { return element.of(this.$, name); },
        set: function (value) { this.$.set(name, value); }
    });
}

function unknown(record, name) {
    if (/[A-Z]/.test(name) || !record.$) {
        throw new TypeError('GlideRecord has no method ' + name + ' here; there are ' + NAMES.join(', '));
    }
    record.$.known();
    throw failure.error('table ' + record.$.table + ' has no column ' + name +
        ', and GlideRecord no method ' + name, {unknownColumn: name});
}

function unwritable(record, name) {
    if (record.$) {
        record.$.known();
    }
    throw failure.error('table ' + (record.$ ? record.$.table : '?') + ' has no column ' + name,
        {unknownColumn: name});
}

function added(record, leaf) {
    var conditions = record.$.conditions;
    if (leaf) {
        conditions.push(leaf);
    }
    return condition.create(record.$, leaf ? conditions.length - 1 : -1);
}

function may(record, operation) {
    var cursor = record.$;
    cursor.known();
    return cursor.platform.acl.allowed(cursor.platform.context.current().user, cursor.table, operation,
        operation === 'create' ? null : cursor.values, null);
}

var QUERY = {
    get: function (field, value) {
        return arguments.length > 1 ? this.$.find(String(field), value) : this.$.find('sys_id', field);
    },
    addQuery: function (field, operator, value) {
        if (arguments.length < 2) {
            throw new TypeError('addQuery takes (field, value) or (field, operator, value); ' +
                'for an encoded query use addEncodedQuery');
        }
        return added(this, arguments.length > 2 ? this.$.leaf(field, operator, value) :
            this.$.leaf(field, Array.isArray(operator) ? 'IN' : '=', operator));
    },
    addEncodedQuery: function (encoded) {
        this.$.addEncoded(encoded);
    },
    addNullQuery: function (field) {
        return added(this, this.$.leaf(field, 'ISEMPTY', ''));
    },
    addNotNullQuery: function (field) {
        return added(this, this.$.leaf(field, 'ISNOTEMPTY', ''));
    },
    addActiveQuery: function () {
        return added(this, this.$.leaf('active', '=', '1'));
    },
    orderBy: function (field) {
        this.$.addOrder(String(field), false);
    },
    orderByDesc: function (field) {
        this.$.addOrder(String(field), true);
    },
    setLimit: function (most) {
        this.$.limit = Number(most);
    },
    /** Rows first to last, the last not included, counted from 0. */
    chooseWindow: function (first, last) {
        this.$.offset = Number(first);
        this.$.limit = Math.max(0, Number(last) - Number(first));
    },
    query: function () {
        this.$.run();
    },
    next: function () {
        return this.$.next();
    },
    hasNext: function () {
        return this.$.hasNext();
    },
    getRowCount: function () {
        return this.$.rows ? this.$.rows.length : 0;
    },
    setQueryReferences: function () {},
    getEncodedQuery: function () {
        return condition.encoded(this.$);
    }
};
QUERY._query = QUERY.query;
QUERY._next = QUERY.next;

var WRITE = {
    initialize: function () {
        this.$.blank(false);
    },
    newRecord: function () {
        this.$.blank(true);
    },
    insert: function () {
        return this.$.insert();
    },
    update: function () {
        return this.$.update();
    },
    /** What was set on this record is written to every row of its query. */
    updateMultiple: function () {
        var cursor = this.$;
        var changes = cursor.changes();
        cursor.each(function () { cursor.store(cursor.values.sys_id, changes); });
    },
    deleteRecord: function () {
        return this.$.remove();
    },
    deleteMultiple: function () {
        var cursor = this.$;
        cursor.each(function () { cursor.remove(); });
    },
    setNewGuidValue: function (sysId) {
        this.$.isNew = true;
        this.$.put('sys_id', sysId === undefined ? identity.sysId() : String(sysId));
    },
    setWorkflow: function (enabled) {
        this.$.workflow = Boolean(enabled);
    },
    autoSysFields: function (enabled) {
        if (this.$.scope !== 'global') {
            throw new TypeError('autoSysFields is not allowed in scoped applications');
        }
        this.$.systemFields = Boolean(enabled);
    },
    setAbortAction: function (abort) {
        this.$.aborted = Boolean(abort);
    }
};

var READ = {
    getValue: function (field) {
        return this.$.get(String(field));
    },
    setValue: function (field, value) {
        this.$.set(String(field), value);
    },
    getDisplayValue: function (field) {
        var cursor = this.$;
        if (field === undefined || field === null) {
            return display.row(cursor.known(), cursor.values);
        }
        return display.of(cursor.platform, cursor.known(), String(field), cursor.get(String(field)));
    },
    getUniqueValue: function () {
        return this.$.get('sys_id');
    },
    getElement: function (field) {
        return element.of(this.$, String(field));
    },
    getTableName: function () {
        return this.$.table;
    },
    getLastErrorMessage: function () {
        return this.$.lastError;
    },
    operation: function () {
        return this.$.operation;
    },
    toString: function () {
        return '[object GlideRecord]';
    },
    valueOf: function () {
        return this;
    }
};

var TEST = {
    isValid: function () {
        return this.$.definition !== null;
    },
    isValidField: function (field) {
        return this.$.definition !== null && own.has(this.$.definition.columns, String(field));
    },
    isValidRecord: function () {
        return !this.$.isNew && Boolean(this.$.values.sys_id);
    },
    isNewRecord: function () {
        return this.$.isNew;
    },
    canRead: function () {
        return may(this, 'read');
    },
    canWrite: function () {
        return may(this, 'write');
    },
    canCreate: function () {
        return may(this, 'create');
    },
    canDelete: function () {
        return may(this, 'delete');
    }
};

var GROUPS = [QUERY, WRITE, READ, TEST];
var NAMES = GROUPS.reduce(function (names, group) { return names.concat(Object.keys(group)); }, []);
var METHODS = Object.create(trap.create('GlideRecord', unknown, unwritable));
GROUPS.forEach(function (group) { trap.members(METHODS, group); });

exports.METHODS = METHODS;
