/**
 * The one way rows are written: defaults, types, system fields, business rules, listeners.
 *
 * Knows no users' rights (acl.js does) and no HTTP. A refused write throws; GlideRecord turns that into null.
 */

var cipher = require('./cipher');
var failure = require('./failure');
var identity = require('./identity');
var own = require('./own');
var query = require('./query');
var value = require('./value');

/** Tables that only a security administrator may write. */
var GUARDED = ['sys_security_acl', 'sys_security_acl_role'];

/**
 * @param {{store, dictionary, context, log, properties, evaluate, cipher}} platform `context` may come later;
 *     `evaluate(source)` runs a javascript: default or query value
 */
exports.open = function (platform) {
    return new Records(platform);
};

function Records(platform) {
    this._platform = platform;
    this._hooks = {before: nothing, after: nothing};
    this._listeners = new java.util.concurrent.CopyOnWriteArrayList();
}

function nothing() {
    return null;
}

Records.prototype = {
    /**
     * Let business rules take part.
     *
     * @param {{before: function, after: function}} hooks both get (operation, table, current, previous,
     *     options): operation is 'insert', 'update' or 'delete'; `current` is the row itself, which before
     *     may change; before may answer {abort: true, message}
     */
    setHooks: function (hooks) {
        this._hooks = {before: hooks.before || nothing, after: hooks.after || nothing};
    },

    /**
     * Be told of every write, after it and before the after rules.
     *
     * @param {function({table, sysId, operation, row, changes, previous})} listener changes: list of
     *     column names
     */
    onChange: function (listener) {
        this._listeners.add(listener);
    },

    /**
     * Insert a row.
     *
     * @param {string} table
     * @param {Object} row column → value
     * @param {{workflow: boolean, systemFields: boolean, user: string}=} options workflow false: no
     *     business rules; systemFields false: sys_created_on and its kin are kept as given
     * @returns {string} sys_id
     * @throws with .duplicate (and .index) or .aborted when it is refused
     */
    insert: function (table, row, options) {
        var choices = options || {};
        var definition = this._definition(table);
        var current = this._blank(definition);
        this._assign(definition, current, row);
        current.sys_id = current.sys_id || identity.sysId();
        this._stamp(current, choices, true);
        this._before('insert', table, current, null, choices);
        this._conform(definition, current);
        this._written(table, 'insert', current, null);
        this._told('insert', table, current, null, Object.keys(current), choices);
        return current.sys_id;
    },

    /**
     * Change a row; nothing happens when nothing differs.
     *
     * @returns {string|null} sys_id, or null when there is no such row
     */
    update: function (table, sysId, changes, options) {
        var choices = options || {};
        var definition = this._definition(table);
        var previous = this.get(table, sysId);
        if (!previous) {
            return null;
        }
        var current = own.copy(previous);
        this._assign(definition, current, changes);
        if (!differences(current, previous).length && !choices.force) {
            return previous.sys_id;
        }
        this._stamp(current, choices, false);
        this._before('update', table, current, previous, choices);
        this._conform(definition, current);
        this._written(table, 'update', current, previous);
        this._told('update', table, current, previous, differences(current, previous), choices);
        return current.sys_id;
    },

    /** @returns {boolean} false when there is no such row */
    remove: function (table, sysId, options) {
        var choices = options || {};
        this._definition(table);
        var previous = this.get(table, sysId);
        if (!previous) {
            return false;
        }
        this._before('delete', table, previous, own.copy(previous), choices);
        this._written(table, 'delete', null, previous);
        this._told('delete', table, previous, own.copy(previous), [], choices);
        return true;
    },

    /** One row by its sys_id, or null. */
    get: function (table, sysId) {
        var where = query.equal({sys_id: sysId || 'none'});
        return this._platform.store.select(table, where, {limit: 1})[0] || null;
    },

    /**
     * Read rows.
     *
     * @param {string} table
     * @param {Object|string|null} where a condition tree, or an encoded query
     * @param {{orderBy, limit, offset}=} options
     */
    query: function (table, where, options) {
        this._definition(table);
        if (typeof where !== 'string') {
            return this._platform.store.select(table, where, options);
        }
        var parsed = this.parse(table, where);
        var choices = own.copy(options || {});
        choices.orderBy = parsed.orderBy.concat(choices.orderBy || []);
        return this._platform.store.select(table, parsed.where, choices);
    },

    count: function (table, where) {
        this._definition(table);
        return this._platform.store.count(table,
            typeof where === 'string' ? this.parse(table, where).where : where);
    },

    /** Read an encoded query as the property glide.invalid_query.returns_no_rows says. See query.parse. */
    parse: function (table, encoded) {
        return query.parse(encoded, this.queryContext(table));
    },

    /** What query.js has to know to read conditions on a table. */
    queryContext: function (table) {
        var platform = this._platform;
        var properties = platform.properties;
        return {dictionary: platform.dictionary, table: table, evaluate: platform.evaluate,
            strict: Boolean(properties) &&
                String(properties.get('glide.invalid_query.returns_no_rows', 'false')) === 'true'};
    },

    /** Does a row in hand satisfy an encoded query? An empty query is satisfied by every row. */
    matches: function (table, encoded, row) {
        var self = this;
        return query.matches(this.parse(table, encoded).where, row,
            function (other, sysId) { return self.get(other, sysId); });
    },

    /** A new row's values before anybody set one: the defaults of the dictionary. */
    blank: function (table) {
        return this._blank(this._definition(table));
    },

    _definition: function (table) {
        var definition = this._platform.dictionary.table(table);
        if (!definition) {
            throw failure.error('there is no table ' + table, {unknownTable: table});
        }
        return definition;
    },

    _blank: function (definition) {
        var platform = this._platform;
        var row = {};
        Object.keys(definition.columns).forEach(function (name) {
            var preset = definition.columns[name].defaultValue;
            if (preset !== null && preset.indexOf('javascript:') === 0 && platform.evaluate) {
                preset = String(platform.evaluate(preset.slice('javascript:'.length)));
            }
            if (definition.columns[name].type === 'boolean') {
                preset = preset || '0';
            }
            row[name] = value.stored(definition, name, preset);
        });
        return row;
    },

    _assign: function (definition, row, changes) {
        Object.keys(changes).forEach(function (name) {
            row[name] = value.stored(definition, name, changes[name]);
        });
    },

    /** Rules may have put anything into the row. What is too long is cut, which the platform does silently. */
    _conform: function (definition, row) {
        var self = this;
        Object.keys(row).forEach(function (name) {
            row[name] = value.stored(definition, name, row[name]);
            if (definition.columns[name].type === 'password2' && !cipher.isSealed(row[name])) {
                // From REST or an update set: scripts cannot bring plain text here.
                row[name] = cipher.sealed(self._platform, row[name]);
            }
            var longest = definition.columns[name].maxLength;
            if (longest && value.isText(definition, name) && (row[name] || '').length > longest) {
                self._platform.log.warn('records', definition.name + '.' + name + ' was cut from ' +
                    row[name].length + ' to ' + longest + ' characters');
                row[name] = row[name].slice(0, longest);
            }
        });
    },

    _stamp: function (row, options, created) {
        if (options.systemFields === false) {
            return;
        }
        row.sys_updated_on = identity.now();
        row.sys_updated_by = options.user || this._userName();
        row.sys_mod_count = created ? '0' : String(Number(row.sys_mod_count || 0) + 1);
        if (created) {
            row.sys_created_on = row.sys_updated_on;
            row.sys_created_by = row.sys_updated_by;
        }
    },

    _userName: function () {
        var context = this._platform.context;
        return context && context.running() ? context.current().user.user_name : 'system';
    },

    _before: function (operation, table, current, previous, options) {
        this._elevated(table);
        if (options.workflow === false) {
            return;
        }
        var answer = this._hooks.before(operation, table, current, previous, options);
        if (answer && answer.abort) {
            throw failure.error(answer.message || operation + ' of ' + table +
                ' was aborted by a business rule', {aborted: true});
        }
    },

    /**
     * Access rules are written by whoever has elevated to security_admin, and by nobody else.
     * [t_CreateAnACLRule]
     */
    _elevated: function (table) {
        var context = this._platform.context;
        if (GUARDED.indexOf(table) >= 0 && context && context.running() && !context.current().elevated) {
            throw failure.error('writing ' + table + ' needs elevation to security_admin', {aborted: true});
        }
    },

    /** The row and, for the dictionary's own tables, the structure it describes: both or neither. */
    _written: function (table, operation, current, previous) {
        var store = this._platform.store;
        var dictionary = this._platform.dictionary;
        if (!dictionary.governs(table)) {
            this._put(table, operation, current, previous);
            return;
        }
        var self = this;
        try {
            store.transaction(function () {
                self._put(table, operation, current, previous);
                if (operation === 'insert') {
                    dictionary.inserted(table, current);
                } else if (operation === 'update') {
                    dictionary.updated(table, current, previous);
                } else {
                    dictionary.removed(table, previous);
                }
            });
        } finally {
            dictionary.forget();
        }
    },

    _put: function (table, operation, current, previous) {
        var store = this._platform.store;
        if (operation === 'insert') {
            store.insert(table, current);
        } else if (operation === 'delete') {
            store.remove(table, previous.sys_id);
        } else {
            var changes = {};
            differences(current, previous).forEach(function (name) { changes[name] = current[name]; });
            store.update(table, previous.sys_id, changes);
        }
    },

    _told: function (operation, table, current, previous, changes, options) {
        var event = {table: table, sysId: current.sys_id, operation: operation, row: own.copy(current),
            changes: changes, previous: previous};
        var listeners = this._listeners.toArray();
        for (var i = 0; i < listeners.length; i++) {
            listeners[i](event);
        }
        if (options.workflow !== false) {
            this._hooks.after(operation, table, current, previous, options);
        }
    }
};

function differences(current, previous) {
    return Object.keys(current).filter(function (name) { return current[name] !== previous[name]; });
}
