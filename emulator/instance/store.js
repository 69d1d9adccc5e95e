/**
 * Rows in SQLite: one connection, one lock, rows as plain objects of strings and nulls.
 *
 * Knows tables and columns but neither types nor rules: those are the dictionary's and the records module's.
 * Text compares without regard to case, as the platform's own database does.
 */

var failure = require('./failure');
var lock = require('./lock');
var sql = require('./sql');

/** SQLite takes at most 127 arguments per function call. */
var CELLS_PER_CALL = 100;

var quote = sql.quote;

/**
 * Open (or create) the database file.
 *
 * @param {string} path file name, or ':memory:'
 */
exports.open = function (path) {
    java.lang.Class.forName('org.sqlite.JDBC');
    var connection = java.sql.DriverManager.getConnection('jdbc:sqlite:' + path);
    var store = new Store(connection);
    // Readable after kill -9 at any moment; a lost power supply may cost the last writes, which is fine here.
    store._execute('PRAGMA journal_mode=WAL');
    store._execute('PRAGMA synchronous=NORMAL');
    store._execute('PRAGMA case_sensitive_like=OFF');
    return store;
};

function Store(connection) {
    this._connection = connection;
    //: Runs some work with the connection to itself.
    this._locked = lock.create();
    this._columns = new java.util.concurrent.ConcurrentHashMap();
    this._statements = new java.util.HashMap();
}

Store.prototype = {
    close: function () {
        var self = this;
        this._locked(function () { self._forget(); self._connection.close(); });
    },

    /**
     * Run `work` as one database transaction: all of it is kept, or none. Not for anything slow.
     */
    transaction: function (work) {
        var self = this;
        return this._locked(function () {
            if (!self._connection.getAutoCommit()) {
                return work();
            }
            return self._outermost(work);
        });
    },

    _outermost: function (work) {
        var done = false;
        this._connection.setAutoCommit(false);
        try {
            var result = work();
            this._connection.commit();
            done = true;
            return result;
        } finally {
            if (!done) {
                this._connection.rollback();
                this._columns.clear();
            }
            this._connection.setAutoCommit(true);
        }
    },

    _execute: function (text) {
        var self = this;
        return this._locked(function () {
            var statement = self._connection.createStatement();
            try {
                statement.execute(text);
            } catch (error) {
                throw translated(error);
            } finally {
                statement.close();
            }
        });
    },

    // ---- structure
    // -----------------------------------------------------------------------------------------------

    tableExists: function (table) {
        return this._read('SELECT json_array(name) FROM sqlite_master WHERE type = ? AND name = ?',
            ['table', table], ['name']).length > 0;
    },

    /**
     * @param {string} table
     * @param {Array<{name: string, kind: string}>=} columns besides sys_id; in one statement, for each later
     *     one makes SQLite read its whole schema again
     */
    createTable: function (table, columns) {
        this._alter('CREATE TABLE ' + quote(table) + ' (' + [quote('sys_id') +
            ' TEXT COLLATE NOCASE PRIMARY KEY NOT NULL'].concat((columns || []).map(function (column) {
            return quote(column.name) + ' ' + sql.declaration(column.kind);
        })).join(', ') + ')');
    },

    dropTable: function (table) {
        this._alter('DROP TABLE ' + quote(table));
    },

    /**
     * @param {string} table
     * @param {string} column
     * @param {string=} kind 'text' (default), 'integer' or 'decimal': how it compares and sorts
     */
    addColumn: function (table, column, kind) {
        this._alter('ALTER TABLE ' + quote(table) + ' ADD COLUMN ' + quote(column) + ' ' +
            sql.declaration(kind));
    },

    dropColumn: function (table, column) {
        this._alter('ALTER TABLE ' + quote(table) + ' DROP COLUMN ' + quote(column));
    },

    createIndex: function (name, table, columns, unique) {
        this._alter('CREATE ' + (unique ? 'UNIQUE ' : '') + 'INDEX ' + quote(name) + ' ON ' + quote(table) +
            ' (' + columns.map(quote).join(', ') + ')');
    },

    dropIndex: function (name) {
        this._alter('DROP INDEX IF EXISTS ' + quote(name));
    },

    _alter: function (text) {
        var self = this;
        this._locked(function () {
            // SQLite refuses to change what an open statement still reads.
            self._forget();
            self._execute(text);
        });
    },

    /** Names of the columns a table physically has, in order; empty for an unknown table. */
    columns: function (table) {
        return this._described(table).names;
    },

    /** What a table physically has: the names of its columns, and the piece of a statement that reads them. */
    _described: function (table) {
        var self = this;
        // Under the lock: nobody may change the table between the reading and the keeping.
        return this._columns.get(table) || this._locked(function () {
            var names = self._read('SELECT json_array(name) FROM pragma_table_info(?)', [table], ['name'])
                .map(function (row) { return row.name; });
            var described = {names: names, cells: sql.cells(names, CELLS_PER_CALL)};
            self._columns.put(table, described);
            return described;
        });
    },

    /** Indexes of a table: [{name, unique, columns}], without the ones SQLite makes by itself. */
    indexes: function (table) {
        var self = this;
        return this._read('SELECT json_array(name, "unique") FROM pragma_index_list(?) WHERE origin = ?',
            [table, 'c'], ['name', 'unique']).map(function (row) {
            return {name: row.name, unique: row.unique === 1, columns: self._indexed(row.name)};
        });
    },

    _indexed: function (name) {
        return this._read('SELECT json_array(name) FROM pragma_index_info(?)', [name], ['name'])
            .map(function (row) { return row.name; });
    },

    // ---- rows
    // ----------------------------------------------------------------------------------------------------

    /**
     * Read rows.
     *
     * @param {string} table
     * @param {Object=} where condition tree of query.js; nothing means every row
     * @param {{orderBy: Array, limit: number, offset: number}=} options orderBy: [{column, descending}]
     * @returns {Array<Object>} one object per row with every column, strings or null
     */
    select: function (table, where, options) {
        var known = this._known(table);
        var statement = sql.select(table, known.cells, where, options || {});
        return this._read(statement.text, statement.values, known.names);
    },

    count: function (table, where) {
        this._known(table);
        var statement = sql.count(table, where);
        return Number(this._read(statement.text, statement.values, ['n'])[0].n);
    },

    /**
     * Totals per group.
     *
     * @param {string} table
     * @param {Object} where
     * @param {{groups: Array<string>, measures: Array<{type: string, column: string}>, orderBy: Array}}
     *     wanted
     * @returns {Array<{groups: Object, values: Array<string>}>} measures in the order asked for
     */
    aggregate: function (table, where, wanted) {
        var statement = sql.aggregate(table, where, wanted);
        return this._read(statement.text, statement.values, statement.columns).map(function (row) {
            var groups = {};
            wanted.groups.forEach(function (column, i) { groups[column] = row['g' + i]; });
            return {
                groups: groups, values: wanted.measures.map(function (unused, i) { return row['m' + i]; })
            };
        });
    },

    insert: function (table, row) {
        var columns = Object.keys(row);
        this._write('INSERT INTO ' + quote(table) + ' (' + columns.map(quote).join(', ') + ') VALUES (' +
            columns.map(function () { return '?'; }).join(', ') + ')', valuesOf(row, columns));
    },

    /** @returns {number} rows changed: 0 or 1 */
    update: function (table, sysId, changes) {
        var columns = Object.keys(changes);
        if (!columns.length) {
            return 0;
        }
        return this._write('UPDATE ' + quote(table) + ' SET ' +
            columns.map(function (column) { return quote(column) + ' = ?'; }).join(', ') +
            ' WHERE sys_id = ?', valuesOf(changes, columns).concat([sysId]));
    },

    /** @returns {number} rows removed: 0 or 1 */
    remove: function (table, sysId) {
        return this._write('DELETE FROM ' + quote(table) + ' WHERE sys_id = ?', [sysId]);
    },

    _known: function (table) {
        var described = this._described(table);
        if (!described.names.length) {
            throw failure.error('there is no table ' + table, {unknownTable: table});
        }
        return described;
    },

    _read: function (text, values, columns) {
        var self = this;
        return this._locked(function () {
            var results = null;
            try {
                results = self._prepare(text, values).executeQuery();
                return rowsOf(results, columns);
            } catch (error) {
                throw translated(error);
            } finally {
                if (results) {
                    results.close();
                }
            }
        });
    },

    _write: function (text, values) {
        var self = this;
        return this._locked(function () {
            try {
                return self._prepare(text, values).executeUpdate();
            } catch (error) {
                throw translated(error, function (table, columns) { return self._indexOn(table, columns); });
            }
        });
    },

    _indexOn: function (table, columns) {
        var wanted = columns.join(',');
        var found = this.indexes(table).filter(function (index) {
            return index.unique && index.columns.join(',') === wanted;
        });
        return found.length ? found[0].name : wanted;
    },

    _prepare: function (text, values) {
        var statement = this._statements.get(text);
        if (statement === null) {
            // Filters with literal lists make ever new texts; the few hundred usual ones are soon back.
            if (this._statements.size() > 500) {
                this._forget();
            }
            statement = this._connection.prepareStatement(text);
            this._statements.put(text, statement);
        }
        for (var i = 0; i < values.length; i++) {
            statement.setString(i + 1, values[i]);
        }
        return statement;
    },

    _forget: function () {
        var all = this._statements.values().toArray();
        for (var i = 0; i < all.length; i++) {
            all[i].close();
        }
        this._statements.clear();
        this._columns.clear();
    }
};

function valuesOf(row, columns) {
    return columns.map(function (column) {
        var value = row[column];
        return value === undefined || value === null ? null : String(value);
    });
}

/** A row crosses from Java as one JSON text per hundred cells: three times as fast as cell by cell. */
function rowsOf(results, columns) {
    var rows = [];
    while (results.next()) {
        rows.push(rowOf(results, columns));
    }
    return rows;
}

function rowOf(results, columns) {
    var row = {};
    for (var start = 0, part = 1; start < columns.length; start += CELLS_PER_CALL, part++) {
        var cells = JSON.parse(results.getString(part));
        for (var i = 0; i < cells.length; i++) {
            row[columns[start + i]] = cells[i];
        }
    }
    return row;
}

/** Turn what the driver throws into an error of ours; a broken unique index says which. */
function translated(error, indexOn) {
    var cause = error.javaException ? String(error.javaException.getMessage()) : null;
    if (cause === null) {
        return error;
    }
    var broken = /UNIQUE constraint failed: ([^)]+)/.exec(cause);
    if (!broken) {
        return failure.error('the database refuses: ' + cause);
    }
    var columns = broken[1].split(', ').map(function (name) { return name.split('.')[1]; });
    var table = broken[1].split('.')[0];
    var index = indexOn ? indexOn(table, columns) : columns.join(',');
    return failure.error('Unique Key violation detected by database: index ' + index + ' of ' + table,
        {duplicate: true, index: index});
}
