/**
 * Tables and columns: what sys_db_object, sys_dictionary and sys_index say, and the physical tables that
 * follow.
 *
 * Rows of these three tables are the only way to change the structure, whoever writes them (a fix script, an
 * update set, GlideTableCreator). The column rows that every table has (sys_id and its kin) are implied.
 */

var failure = require('./failure');
var identity = require('./identity');
var own = require('./own');
var query = require('./query');

var TABLES = 'sys_db_object';
var COLUMNS = 'sys_dictionary';
var INDEXES = 'sys_index';

/** Types → how the database compares them, and how long they are when the dictionary does not say. */
var TYPES = {
    string: {length: 40}, 'integer': {kind: 'integer'}, longint: {kind: 'integer'}, 'boolean': {},
    decimal: {kind: 'decimal'}, 'float': {kind: 'decimal'}, currency: {kind: 'decimal'},
    percent_complete: {kind: 'decimal'}, reference: {length: 32}, GUID: {length: 32}, glide_date_time: {},
    glide_date: {}, glide_time: {}, glide_duration: {}, due_date: {}, choice: {length: 40},
    password: {length: 255}, password2: {}, script: {}, script_plain: {}, script_server: {}, xml: {},
    html: {}, html_template: {}, html_script: {}, css: {}, json: {}, translated_text: {},
    translated_field: {length: 40}, translated_html: {}, journal: {}, journal_input: {}, email: {length: 100},
    url: {length: 1024}, phone_number: {length: 40}, table_name: {length: 80}, field_name: {length: 80},
    field_list: {}, slushbucket: {}, conditions: {}, user_roles: {length: 255}, user_input: {},
    user_image: {length: 40}, sys_class_name: {length: 80}, glide_list: {length: 1024},
    document_id: {length: 32}, domain_id: {length: 32}, version: {length: 40}, color: {length: 40},
    image: {length: 255}, name_values: {}, compressed: {}, ip_addr: {length: 45},
    order_index: {kind: 'integer'}, composite_field: {length: 300}, data_structure: {}, variables: {},
    workflow: {length: 80}, timer: {}, schedule_date_time: {length: 18}, day_of_week: {kind: 'integer'},
    day_of_month: {kind: 'integer'}, month_of_year: {kind: 'integer'}, int: {kind: 'integer'},
    icon: {length: 40}, properties: {}, template_value: {}, glyphicon: {length: 40}, catalog_preview: {}
};

/** What every table has. */
var SYSTEM = [
    {element: 'sys_id', type: 'GUID'}, {element: 'sys_created_on', type: 'glide_date_time'},
    {element: 'sys_created_by', type: 'string'}, {element: 'sys_updated_on', type: 'glide_date_time'},
    {element: 'sys_updated_by', type: 'string'}, {element: 'sys_mod_count', type: 'integer'}
];

var TABLE_NAME = /^[a-z][a-z0-9_]{0,79}$/;
var COLUMN_NAME = /^[a-z][a-z0-9_]{0,79}$/;

exports.SYSTEM_COLUMNS = SYSTEM.map(function (column) { return column.element; });

/** @param {Object} store of store.js */
exports.open = function (store) {
    return new Dictionary(store);
};

function Dictionary(store) {
    this._store = store;
    this._known = new java.util.concurrent.ConcurrentHashMap();
    this._changes = new java.util.concurrent.atomic.AtomicLong(0);
}

Dictionary.prototype = {
    /**
     * Describe a table.
     *
     * @param {string} name
     * @returns {{name, sysId, label, scope, superClass, columns}|null} columns: element → {name, label, type,
     * maxLength, defaultValue, reference, mandatory, unique, active}; the answer is shared, do not change
     *     it
     */
    table: function (name) {
        // Counted before it is read: a change during the reading makes the answer old at once.
        var age = this._changes.get();
        var known = this._known.get(String(name));
        if (known === null || known.age !== age) {
            known = {age: age, definition: this._read(String(name))};
            if (known.definition) {
                this._known.put(String(name), known);
            }
        }
        return known.definition;
    },

    /** Names of all tables. */
    names: function () {
        return this._store.select(TABLES, null, {orderBy: [{column: 'name'}]})
            .map(function (row) { return row.name; });
    },

    _read: function (name) {
        if (!this._store.columns(TABLES).length) {
            return null;
        }
        var row = this._row(TABLES, {name: name});
        return row && this._described(row);
    },

    _described: function (row) {
        var columns = {};
        SYSTEM.forEach(function (column) {
            columns[column.element] = described(dictionaryRow(row.name, column));
        });
        this._rows(COLUMNS, {name: row.name}).filter(function (entry) { return entry.element; })
            .forEach(function (entry) { columns[entry.element] = described(entry); });
        return {name: row.name, sysId: row.sys_id, label: row.label || row.name,
            scope: row.sys_scope || 'global', superClass: row.super_class, columns: columns,
            //: What scripts of other scopes may do with it.
            access: {read_access: row.read_access !== '0', create_access: row.create_access === '1',
                update_access: row.update_access === '1', delete_access: row.delete_access === '1'},
            // What GlideRecord builds once per table; it goes with this description when the structure
            // changes.
            faces: new java.util.concurrent.ConcurrentHashMap()};
    },

    _rows: function (table, values) {
        return this._store.select(table, query.equal(values));
    },

    _row: function (table, values) {
        return this._rows(table, values)[0] || null;
    },

    // ---- the platform's own tables
    // -------------------------------------------------------------------------------

    /**
     * Create many tables at once on an empty database, and the rows that describe them.
     *
     * @param {Array<{name, label, scope, fields: Object, columns: Array}>} definitions columns: {element,
     *     label, type, maxLength, defaultValue, reference, mandatory, unique}; `fields`: more fields of the
     *     sys_db_object row
     */
    install: function (definitions) {
        var self = this;
        this._store.transaction(function () {
            definitions.forEach(function (definition) {
                self._createPhysically(definition.name, definition.columns);
            });
            definitions.forEach(function (definition) { self._installRows(definition); });
        });
        this.forget();
    },

    _installRows: function (definition) {
        var self = this;
        var row = {name: definition.name, label: definition.label || definition.name};
        Object.keys(definition.fields || {}).forEach(function (key) { row[key] = definition.fields[key]; });
        this._store.insert(TABLES, stamped(row, TABLES + ' ' + definition.name));
        definition.columns.forEach(function (column) {
            self._store.insert(COLUMNS, stamped(dictionaryRow(definition.name, column),
                COLUMNS + ' ' + definition.name + ' ' + column.element));
            if (column.unique) {
                self._store.createIndex(indexName(definition.name, [column.element]), definition.name,
                    [column.element], true);
            }
        });
    },

    /** Read again what changed outside of these calls, or was undone. */
    forget: function () {
        this._changes.incrementAndGet();
    },

    // ---- changes of structure, called by records.js around the write of the row itself
    // --------------------------

    /** Is a row of this table a piece of structure? */
    governs: function (table) {
        return table === TABLES || table === COLUMNS || table === INDEXES;
    },

    /** Make the physical structure follow an inserted row. Throws when it cannot. */
    inserted: function (table, row) {
        this.forget();
        if (table === TABLES) {
            this._createTable(row);
        } else if (table === COLUMNS) {
            this._createColumn(row);
        } else {
            this._createIndex(row);
        }
    },

    /** Make the physical structure follow a change. */
    updated: function (table, row, previous) {
        this.forget();
        if (table === INDEXES) {
            this._dropIndex(previous);
            this._createIndex(row);
            return;
        }
        if (row.name !== previous.name || row.element !== previous.element) {
            throw failure.error('a table or column cannot be renamed; make a new one');
        }
        if (table === COLUMNS && row.element) {
            this._changeColumn(row, previous);
        }
    },

    /** Make the physical structure follow a removed row. */
    removed: function (table, row) {
        this.forget();
        if (table === TABLES) {
            this._dropTable(row.name);
        } else if (table === COLUMNS) {
            this._dropColumn(row);
        } else {
            this._dropIndex(row);
        }
    },

    _createTable: function (row) {
        if (!TABLE_NAME.test(row.name || '')) {
            throw failure.error('"' + row.name + '" is not a table name (lower case letters, digits, _)');
        }
        if (row.super_class) {
            throw failure.error('table ' + row.name +
                ' extends another table, which the emulator does not provide');
        }
        if (this._rows(TABLES, {name: row.name}).length > 1) {
            throw failure.error('table ' + row.name + ' exists already', {duplicate: true, index: 'name'});
        }
        if (!this._store.tableExists(row.name)) {
            this._createPhysically(row.name);
        }
    },

    _createPhysically: function (name, columns) {
        this._store.createTable(name, SYSTEM.slice(1).concat(columns || []).map(function (column) {
            return {name: column.element, kind: kindOf(column.type)};
        }));
    },

    _createColumn: function (row) {
        if (!row.element) {
            this._createFromCollection(row);
            return;
        }
        this._checkColumn(row);
        var store = this._store;
        if (store.columns(row.name).indexOf(row.element) < 0) {
            store.addColumn(row.name, row.element, kindOf(row.internal_type));
        }
        if (row.unique === '1') {
            store.createIndex(indexName(row.name, [row.element]), row.name, [row.element], true);
        }
    },

    /** The dictionary entry of a table itself (type collection) makes the table, when nothing else has. */
    _createFromCollection: function (row) {
        if (row.internal_type !== 'collection') {
            throw failure.error('a sys_dictionary row without element must have the type collection');
        }
        if (!this._row(TABLES, {name: row.name})) {
            var table = {name: row.name, label: row.column_label || row.name};
            ['sys_scope', 'sys_package'].forEach(function (key) {
                if (row[key]) {
                    table[key] = row[key];
                }
            });
            this._store.insert(TABLES, stamped(table, TABLES + ' ' + row.name));
            this._createTable(table);
        }
    },

    _checkColumn: function (row) {
        var type = row.internal_type || 'string';
        if (!COLUMN_NAME.test(row.element)) {
            throw failure.error('"' + row.element + '" is not a column name (lower case letters, digits, _)');
        }
        if (!this._store.columns(row.name || '').length) {
            throw failure.error('column ' + row.element + ': there is no table ' + row.name);
        }
        if (!own.has(TYPES, type)) {
            throw failure.error('column ' + row.name + '.' + row.element + ' has the type "' + type +
                '", which the emulator does not provide');
        }
        if (this._rows(COLUMNS, {name: row.name, element: row.element}).length > 1) {
            throw failure.error('column ' + row.name + '.' + row.element + ' exists already',
                {duplicate: true, index: 'name,element'});
        }
    },

    _changeColumn: function (row, previous) {
        var index = indexName(row.name, [row.element]);
        this._checkColumn(row);
        if (kindOf(row.internal_type) !== kindOf(previous.internal_type)) {
            throw failure.error('column ' + row.name + '.' + row.element + ' cannot change its type from ' +
                previous.internal_type + ' to ' + row.internal_type);
        }
        if (row.unique !== previous.unique) {
            this._store.dropIndex(index);
            if (row.unique === '1') {
                this._store.createIndex(index, row.name, [row.element], true);
            }
        }
    },

    _dropTable: function (name) {
        var store = this._store;
        [[COLUMNS, {name: name}], [INDEXES, {logical_table_name: name}]].forEach(function (about) {
            if (store.columns(about[0]).length) {
                store.select(about[0], query.equal(about[1]))
                    .forEach(function (row) { store.remove(about[0], row.sys_id); });
            }
        });
        if (store.tableExists(name)) {
            store.dropTable(name);
        }
    },

    _dropColumn: function (row) {
        var store = this._store;
        if (!row.element || store.columns(row.name).indexOf(row.element) < 0) {
            return;
        }
        // An index on a column that goes, goes with it.
        store.indexes(row.name).filter(function (index) { return index.columns.indexOf(row.element) >= 0; })
            .forEach(function (index) { store.dropIndex(index.name); });
        store.dropColumn(row.name, row.element);
    },

    _createIndex: function (row) {
        var index = this._indexOf(row);
        this._store.createIndex(index.name, index.table, index.columns, index.unique);
    },

    _dropIndex: function (row) {
        this._store.dropIndex(this._indexOf(row).name);
    },

    /** What a sys_index row says: {name, table, columns, unique}. */
    _indexOf: function (row) {
        var table = row.logical_table_name;
        var columns = String(row.col_name_string || '').split(',')
            .map(function (name) { return name.trim(); }).filter(String);
        var self = this;
        if (!table || !columns.length) {
            throw failure.error('a sys_index row needs logical_table_name and col_name_string');
        }
        columns.forEach(function (column) {
            if (self._store.columns(table).indexOf(column) < 0) {
                throw failure.error('index on ' + table + ': there is no column ' + column);
            }
        });
        return {name: row.name || indexName(table, columns), table: table, columns: columns,
            unique: row.unique_index === '1'};
    }
};

function kindOf(type) {
    return (own.has(TYPES, type) && TYPES[type].kind) || 'text';
}

function indexName(table, columns) {
    return table + '__' + columns.join('__');
}

function dictionaryRow(table, column) {
    var length = Number(column.maxLength) || (TYPES[column.type] || {}).length;
    return {name: table, element: column.element, column_label: column.label || column.element,
        internal_type: column.type, max_length: length ? String(length) : null,
        reference: column.reference || null,
        default_value: column.defaultValue === undefined ? null : column.defaultValue,
        mandatory: column.mandatory ? '1' : '0', unique: column.unique ? '1' : '0', active: '1'};
}

function described(entry) {
    var type = entry.internal_type || 'string';
    return {name: entry.element, label: entry.column_label || entry.element, type: type,
        maxLength: Number(entry.max_length) || (TYPES[type] || {}).length || null,
        defaultValue: entry.default_value === undefined ? null : entry.default_value,
        reference: entry.reference || null, mandatory: entry.mandatory === '1', unique: entry.unique === '1',
        active: entry.active !== '0', display: entry.display === '1'};
}

/**
 * A row of the platform's own: its sys_id follows from what it is, so that every empty instance has the same.
 */
function stamped(row, subject) {
    var now = identity.now();
    row.sys_id = identity.derived(subject);
    row.sys_created_on = row.sys_updated_on = now;
    row.sys_created_by = row.sys_updated_by = 'system';
    row.sys_mod_count = '0';
    return row;
}
