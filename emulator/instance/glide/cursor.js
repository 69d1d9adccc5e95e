/**
 * What a GlideRecord holds: conditions, the rows they found, the row it stands on, and what was changed in
 * it.
 *
 * Knows nothing of how scripts see it; record.js, element.js and secure.js do that part.
 */

var failure = require('../failure');
var identity = require('../identity');
var own = require('../own');
var privilege = require('../privilege');
var query = require('../query');
var value = require('../value');

/**
 * What plain GlideRecord asks before it reads or writes: nothing. Rights are GlideRecordSecure's (secure.js).
 */
var OPEN = {
    readable: function (row) { return row; },
    writable: function (operation, row, changes) { return changes; }
};

exports.Cursor = Cursor;

/**
 * @param {Object} platform
 * @param {string} table
 * @param {{scope: string, policy: Object}=} maker scope: of the script it is made in, which need not be the
 *     one that was called first; policy: readable(row, cursor) → row or null,
 *     writable(operation, row, changes, cursor) → changes or null when the write is refused
 */
function Cursor(platform, table, maker) {
    var given = maker || {};
    this.platform = platform;
    this.table = table;
    this.definition = platform.dictionary.table(table);
    this.policy = given.policy || OPEN;
    this.scope = given.scope || (platform.context.running() ? platform.context.current().scope : 'global');
    this.workflow = true;
    this.systemFields = true;
    this.lastError = '';
    this.operation = null;
    this.aborted = false;
    this.elements = {};
    this.forgetQuery();
    this.blank(false);
}

Cursor.prototype = {
    forgetQuery: function () {
        this.conditions = [];
        this.order = [];
        this.dropped = [];
        this.limit = null;
        this.offset = 0;
        this.rows = null;
        this.position = -1;
    },

    /** The table must exist for anything but isValid(). */
    known: function () {
        if (!this.definition) {
            throw failure.error('there is no table ' + this.table, {unknownTable: this.table});
        }
        return this.definition;
    },

    column: function (name) {
        var definition = this.known();
        if (!own.has(definition.columns, name)) {
            throw failure.error('table ' + this.table + ' has no column ' + name, {unknownColumn: name});
        }
        return definition.columns[name];
    },

    // ---- the row it stands on
    // ------------------------------------------------------------------------------------

    /** Stand on no row: all columns empty, or filled with the table's defaults. */
    blank: function (defaults) {
        var row = {};
        if (this.definition) {
            Object.keys(this.definition.columns).forEach(function (name) { row[name] = null; });
        }
        this.stand(row);
        this.isNew = true;
        if (defaults) {
            this._fill(this.platform.records.blank(this.table));
            this.set('sys_id', identity.sysId());
        }
    },

    _fill: function (row) {
        var self = this;
        Object.keys(row).forEach(function (name) {
            if (row[name] !== null) {
                self.set(name, row[name]);
            }
        });
    },

    /** Stand on a row; what is set later is compared with what it holds now. */
    stand: function (row) {
        this.values = row;
        // The same object until something is set: most rows are only read.
        this.loaded = row;
        this.before = row;
        this.touched = {};
        this.references = {};
        this.isNew = false;
    },

    /** Be the `current` or `previous` of a business rule: the row itself, not a copy. */
    attach: function (row, previous, operation) {
        this.stand(row);
        this.loaded = own.copy(row);
        this.operation = operation || null;
        this.isNew = operation === 'insert';
        this.before = previous || (operation === 'insert' ? {} : this.loaded);
    },

    /** Take over what the database holds after a write. */
    refresh: function (sysId) {
        var row = this.platform.records.get(this.table, sysId);
        var values = this.values;
        if (row && this.operation) {
            Object.keys(row).forEach(function (name) { values[name] = row[name]; });
            this.loaded = row;
        } else if (row) {
            this.stand(row);
        }
    },

    get: function (name) {
        this.column(name);
        var current = this.values[name];
        return current === undefined || current === null ? null : current;
    },

    set: function (name, given) {
        if (this.column(name).type === 'password2') {
            throw failure.error('setValue() on ' + this.table + '.' + name +
                ': a password2 column is written with setDisplayValue() only');
        }
        this.put(name, value.stored(this.definition, name, given));
    },

    /** Put a stored form in place, without looking at its type. */
    put: function (name, stored) {
        if (name === 'sys_id' && !this.isNew) {
            throw failure.error('the sys_id of an existing row of ' + this.table + ' cannot be changed');
        }
        if (this.values === this.loaded) {
            this.values = own.copy(this.loaded);
        }
        this.values[name] = stored;
        this.touched[name] = true;
    },

    /** Did a column change: since the row was read, or, in a business rule, by the write in hand? */
    changed: function (name) {
        return (this.values[name] || null) !== (this.before[name] || null);
    },

    changes: function () {
        var self = this;
        var result = {};
        Object.keys(this.values).forEach(function (name) {
            if (self.values[name] !== self.loaded[name]) {
                result[name] = self.values[name];
            }
        });
        return result;
    },

    // ---- query
    // ---------------------------------------------------------------------------------------------------

    queryContext: function () {
        this.known();
        return this.platform.records.queryContext(this.table);
    },

    /** One condition, or null when the field is unknown: that is dropped, as on the platform. [c_RESTAPI] */
    leaf: function (field, operator, given) {
        var leaf = query.leaf(String(field), String(operator), plain(given), this.queryContext());
        if (!leaf) {
            this.drop([String(field)]);
        }
        return leaf;
    },

    drop: function (fields) {
        if (fields.length) {
            this.dropped = this.dropped.concat(fields);
            this.platform.log.warn('GlideRecord', 'unknown field ' + fields.join(', ') + ' in a query of ' +
                this.table + (this.queryContext().strict ? ': no rows' : ': condition ignored'));
        }
    },

    addEncoded: function (encoded) {
        var parsed = query.parse(encoded, this.queryContext());
        this.drop(parsed.dropped);
        if (!parsed.where.all || parsed.where.all.length) {
            this.conditions.push(parsed.where);
        }
        this.order = this.order.concat(parsed.orderBy);
    },

    addOrder: function (field, descending) {
        if (own.has(this.known().columns, field)) {
            this.order.push({column: field, descending: descending});
        } else {
            this.drop([field]);
        }
    },

    where: function () {
        return this.dropped.length && this.queryContext().strict ? {none: true} : {all: this.conditions};
    },

    /** Read the rows; the cursor then stands before the first. */
    run: function () {
        var self = this;
        var found = !this.mayRead() ? [] : this.platform.records.query(this.table, this.where(),
            {orderBy: this.order, limit: this.limit, offset: this.offset});
        this.rows = found.map(function (row) { return self.policy.readable(row, self); })
            .filter(function (row) { return row !== null; });
        this.position = -1;
    },

    mayRead: function () {
        return this._privileged('read');
    },

    /** A refusal to the scope is logged, and kept as the last error. */
    _privileged: function (operation) {
        var refusal = privilege.refusal(this.platform, this.known(), operation, this.scope);
        if (refusal) {
            this.lastError = refusal;
            this.platform.log.error('GlideRecord', refusal);
        }
        return !refusal;
    },

    hasNext: function () {
        return this.rows !== null && this.position + 1 < this.rows.length;
    },

    /** Step on; after the last row the cursor keeps standing on it, as on the platform. */
    next: function () {
        if (!this.hasNext()) {
            return false;
        }
        this.position++;
        this.stand(this.rows[this.position]);
        return true;
    },

    /** Stand on one row by field and value. */
    find: function (field, given) {
        this.forgetQuery();
        this.limit = 1;
        this.column(field);
        this.conditions.push(query.equal(one(field, plain(given))));
        this.run();
        return this.next();
    },

    // ---- write
    // ---------------------------------------------------------------------------------------------------

    options: function () {
        return {workflow: this.workflow, systemFields: this.systemFields};
    },

    /** @returns {string|null} sys_id, or null when it was refused; lastError then says why */
    insert: function () {
        var self = this;
        var row = this.allowed('create', this._inserted());
        return row && this._attempt(function () {
            var sysId = self.platform.records.insert(self.table, row, self.options());
            self.isNew = false;
            self.refresh(sysId);
            return sysId;
        });
    },

    /** Only what was set, so that defaults fill the rest; a row read from the database is copied. */
    _inserted: function () {
        var self = this;
        var row = {};
        this.known();
        Object.keys(this.values).forEach(function (name) {
            if (self.touched[name] || (!self.isNew && self.values[name] !== null && name !== 'sys_id')) {
                row[name] = self.values[name];
            }
        });
        return row;
    },

    update: function () {
        // The `current` of a rule is a row of its own already; on insert it must not become a second one.
        if (this.isNew && !this.operation) {
            return this.insert();
        }
        return this.store(this.values.sys_id, this.changes());
    },

    /** Write changes to one row. */
    store: function (sysId, wanted) {
        var self = this;
        var changes = this.allowed('write', wanted);
        return changes && this._attempt(function () {
            var written = self.platform.records.update(self.table, sysId, changes, self.options());
            if (written && written === self.values.sys_id) {
                self.refresh(written);
            }
            return written;
        });
    },

    remove: function () {
        var self = this;
        if ((this.isNew && !this.operation) || !this.allowed('delete', {})) {
            return false;
        }
        return this._attempt(function () {
            return self.platform.records.remove(self.table, self.values.sys_id, self.options());
        }) === true;
    },

    /** Let each row of the query be the present one, one after the other. */
    each: function (work) {
        this.run();
        while (this.next()) {
            work();
        }
    },

    /** What may be written of these changes, or null when nothing may. */
    allowed: function (operation, changes) {
        if (!this._privileged(operation)) {
            return null;
        }
        var granted = this.policy.writable(operation, this.values, changes, this);
        if (granted === null) {
            this.lastError = 'Security constraints: ' + operation + ' on ' + this.table + ' is not allowed';
        }
        return granted;
    },

    /** The platform answers null to a write that a rule aborted or a unique index refused, and logs it. */
    _attempt: function (work) {
        try {
            this.lastError = '';
            return work();
        } catch (error) {
            if (!error.aborted && !error.duplicate) {
                throw error;
            }
            this.lastError = error.message;
            this.platform.log.error('GlideRecord', this.table + ': ' + error.message);
            return null;
        }
    }
};

/** A value of a script as the query module takes it: a list stays a list, everything else is text. */
function plain(given) {
    return Array.isArray(given) ? given.map(value.text) : value.text(given);
}

function one(field, given) {
    var values = {};
    values[field] = given;
    return values;
}
