/**
 * Retrieved update sets: load, preview, commit, as an administrator does it. [t_PreviewARemoteUpdateSet]
 *
 * Not covered: collisions with local changes, rollback, batches.
 */

var cache = require('cache');
var preview = require('http/preview');
var unload = require('http/unload');
var web = require('http/exchange');

var SET = 'sys_remote_update_set';
var UPDATE = 'sys_update_xml';
var PROBLEM = 'sys_update_preview_problem';

/** What others refer to comes first; what is not named comes last. */
var ORDER = ['sys_app', 'sys_scope', 'sys_db_object', 'sys_dictionary', 'sys_index', 'sys_choice',
    'sys_user_role', 'sys_user_role_contains', 'sys_properties', 'sys_scope_privilege', 'sys_security_acl',
    'sys_security_acl_role', 'sys_script_include'];

/** Records that are the same when these agree, whatever their sys_ids. */
var COALESCE = {
    sys_db_object: ['name'], sys_dictionary: ['name', 'element'], sys_user_role: ['name'],
    sys_properties: ['name'],
    sys_choice: ['name', 'element', 'value', 'language'], sys_documentation: ['name', 'element', 'language']
};

/** The record's own history on this instance, not what the set brings. */
var OWN = ['sys_created_by', 'sys_created_on', 'sys_mod_count', 'sys_updated_by', 'sys_updated_on'];

exports.UpdateSets = function (platform) {
    this._platform = platform;
};

exports.UpdateSets.prototype = {
    /**
     * Keep an exported set and its updates; nothing of it takes effect.
     *
     * @param {string} text the XML
     * @returns {{sys_id: string, state: string, records: number}}
     */
    load: function (text) {
        var found = unload.read(text);
        var self = this;
        found.set.state = 'loaded';
        this._known(SET, found.set);
        found.updates.forEach(function (update) { self._known(UPDATE, update); });
        this._platform.store.transaction(function () {
            self._forget(found.set.sys_id);
            self._insert(SET, found.set);
            found.updates.forEach(function (update) { self._insert(UPDATE, update); });
        });
        return {sys_id: found.set.sys_id, state: 'loaded', records: found.updates.length};
    },

    /** @returns {Array<string>} what stands in the way of committing */
    preview: function (setId) {
        var set = this._set(setId);
        var records = this._platform.records;
        var problems = preview.problems(this._platform, this._updates(setId));
        this._removeAll(PROBLEM, 'remote_update_set', setId);
        problems.forEach(function (problem) {
            records.insert(PROBLEM, {remote_update_set: setId, description: problem, type: 'error'});
        });
        records.update(SET, set.sys_id, {state: 'previewed'});
        return problems;
    },

    /**
     * Make it take effect: all of it or nothing.
     *
     * @returns {{state: string, inserted: number, updated: number, unchanged: number, deleted: number}}
     */
    commit: function (setId) {
        var self = this;
        var counts = {inserted: 0, updated: 0, unchanged: 0, deleted: 0};
        var updates = this._ready(setId);
        this._atomically(function () {
            sorted(updates).forEach(function (record) { counts[self._apply(record)] += 1; });
            self._platform.records.update(SET, setId, {
                state: 'committed', commit_date: new Date().toISOString().slice(0, 19).replace('T', ' '),
                inserted: String(counts.inserted), updated: String(counts.updated),
                deleted: String(counts.deleted)
            });
        });
        counts.state = 'committed';
        return counts;
    },

    // What was undone must not live on in what is kept in memory.
    _atomically: function (work) {
        try {
            this._platform.store.transaction(work);
        } catch (error) {
            this._platform.dictionary.forget();
            cache.forget(this._platform);
            throw error.name === 'EmulatorError' ?
                new web.Refusal(422, 'The update set cannot be committed', error.message) : error;
        }
    },

    _ready: function (setId) {
        var set = this._set(setId);
        var updates = this._updates(setId);
        if (set.state === 'loaded') {
            throw new web.Refusal(409, 'The update set has to be previewed first', set.name);
        }
        var problems = preview.problems(this._platform, updates);
        if (problems.length > 0) {
            throw new web.Refusal(409, 'The update set has preview problems', problems.join('; '));
        }
        this._mayChangeAccess(updates);
        return updates;
    },

    // [t_CreateAnACLRule]
    _mayChangeAccess: function (updates) {
        var brings = updates.some(function (update) {
            return update.records.some(function (record) { return record.table === 'sys_security_acl'; });
        });
        if (brings && !this._platform.context.current().elevated) {
            throw new web.Refusal(403, 'Security constraints prevent the commit',
                'The set brings access controls: elevate to security_admin first');
        }
    },

    _apply: function (record) {
        var records = this._platform.records;
        var present = this._present(record);
        if (record.action === 'DELETE') {
            return present !== null && records.remove(record.table, present.sys_id) ? 'deleted' : 'unchanged';
        }
        var fields = this._fields(record);
        if (present === null) {
            records.insert(record.table, fields);
            return 'inserted';
        }
        delete fields.sys_id;
        records.update(record.table, present.sys_id, fields);
        return records.get(record.table, present.sys_id).sys_mod_count === present.sys_mod_count ?
            'unchanged' : 'updated';
    },

    _fields: function (record) {
        var fields = {};
        var columns = this._platform.dictionary.table(record.table).columns;
        Object.keys(record.fields).forEach(function (name) {
            if (OWN.indexOf(name) < 0) {
                fields[name] = record.fields[name];
            }
        });
        if (columns.sys_update_name && !fields.sys_update_name) {
            fields.sys_update_name = record.table + '_' + fields.sys_id;
        }
        return fields;
    },

    _present: function (record) {
        var same = this._platform.records.get(record.table, record.fields.sys_id);
        if (same !== null || !COALESCE.hasOwnProperty(record.table)) {
            return same;
        }
        var where = {};
        COALESCE[record.table].forEach(function (name) { where[name] = record.fields[name]; });
        return this._platform.store.select(record.table, require('query').equal(where))[0] || null;
    },

    _set: function (setId) {
        var set = unload.isSysId(setId) ? this._platform.records.get(SET, setId) : null;
        if (set === null) {
            throw new web.Refusal(404, 'There is no such update set', setId);
        }
        return set;
    },

    _updates: function (setId) {
        var where = {column: 'remote_update_set', operator: '=', value: setId};
        return this._platform.store.select(UPDATE, where).map(function (row) {
            try {
                return {name: row.name, records: unload.records(row.payload || '').map(function (record) {
                    record.action = row.action === 'DELETE' ? 'DELETE' : record.action;
                    return record;
                })};
            } catch (error) {
                return {name: row.name, records: [], problem: unreadable(error)};
            }
        });
    },

    _known: function (table, fields) {
        var columns = this._platform.dictionary.table(table).columns;
        Object.keys(fields).forEach(function (name) {
            if (!columns.hasOwnProperty(name)) {
                throw new web.Refusal(422, 'The update set cannot be loaded',
                    table + ' has no column ' + name);
            }
        });
    },

    _insert: function (table, fields) {
        this._platform.records.insert(table, fields, {workflow: false});
    },

    _forget: function (setId) {
        this._removeAll(PROBLEM, 'remote_update_set', setId);
        this._removeAll(UPDATE, 'remote_update_set', setId);
        this._platform.records.remove(SET, setId, {workflow: false});
    },

    _removeAll: function (table, column, value) {
        var records = this._platform.records;
        var where = {column: column, operator: '=', value: value};
        this._platform.store.select(table, where).forEach(function (row) {
            records.remove(table, row.sys_id, {workflow: false});
        });
    }
};

function unreadable(error) {
    if (error instanceof web.Refusal) {
        return error.detail;
    }
    throw error;
}

// What is deleted goes last, and in the other direction.
function sorted(updates) {
    var all = [];
    updates.forEach(function (update) { all = all.concat(update.records); });
    return all.map(function (record, index) {
        return {record: record, rank: rank(record), index: index};
    }).sort(function (one, other) {
        return one.rank - other.rank || one.index - other.index;
    }).map(function (each) { return each.record; });
}

function rank(record) {
    var at = ORDER.indexOf(record.table);
    var place = at < 0 ? ORDER.length : at;
    // A table's own entry creates it; its columns follow.
    var own = record.table === 'sys_dictionary' && record.fields.element ? 0.5 : 0;
    return record.action === 'DELETE' ? 1000 - place - own : place + own;
}
