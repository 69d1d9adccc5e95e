/**
 * Brings records of the platform to what they should be, and tells what it did.
 *
 * A record is found by its sys_id, or by what makes it the one of its kind (a column by table and name, an access
 * rule by name, operation and type), so that one made by hand is mended and not doubled. Only fields that differ are
 * written. It never stops because one thing is there already: each record is looked at for itself.
 *
 * It does not remove anything, and does not touch fields and records it was not told of.
 *
 * @typedef {Object} Wanted
 * @property {string} table
 * @property {string} sys_id
 * @property {string} name for people
 * @property {Object.<string, string>} fields values as the platform stores them, booleans as true and false
 * @property {Object.<string, number>} scripts checksums of the columns that hold scripts
 */

/**
 * @param {Wanted[]} wanted in the order in which they are to be made
 * @param {boolean} dryRun only tell; `var FIX_OPTIONS = {dryRun: true};` before the script does the same
 */
function Convergence(wanted, dryRun) {
    this.wanted = wanted;
    this.dryRun = dryRun || Convergence.option('dryRun');
    this.counts = {created: 0, updated: 0, unchanged: 0, failed: 0};
    this.actual = {}; // sys_id of the manifest -> sys_id of the record found for it
}

/** What makes a record the one of its kind; others are known by their sys_id alone. */
Convergence.KEYS = {
    sys_db_object: ['name'],
    sys_dictionary: ['name', 'element'],
    sys_index: ['name'],
    sys_user_role: ['name'],
    sys_user_role_contains: ['role', 'contains'],
    sys_security_acl: ['name', 'operation', 'type'],
    sys_security_acl_role: ['sys_security_acl', 'sys_user_role'],
    sys_properties: ['name'],
    sp_widget: ['id'],
    sp_page: ['id'],
    sp_portal: ['url_suffix'],
    m2m_sp_widget_dependency: ['sp_widget', 'sp_dependency'],
    m2m_sp_dependency_js_include: ['sp_dependency', 'sp_js_include'],
    m2m_sp_dependency_css_include: ['sp_dependency', 'sp_css_include'],
    sys_scope_privilege: ['source_scope', 'target_scope', 'target_name', 'target_type', 'operation']
};

/** Fields that are the administrator's once they hold something. */
Convergence.KEPT = {
    sys_properties: ['value'],
    sp_portal: ['title', 'homepage', 'sp_rectangle_menu'],
    sp_page: ['title', 'short_description'],
    sp_rectangle_menu_item: ['label', 'glyph', 'roles', 'order', 'active'],
    sys_app_module: ['title', 'roles', 'order', 'active']
};

/** @returns {boolean} whether an option was set in front of the script */
Convergence.option = function (name) {
    return typeof FIX_OPTIONS === 'object' && FIX_OPTIONS !== null && FIX_OPTIONS[name] === true;
};

/** @returns {number} the checksum that the build wrote for a script; line ends and the last ones do not count */
Convergence.checksum = function (text) {
    var plain = String(text).replace(/\r\n?/g, '\n').replace(/[ \n]+$/, '');
    var sum = 0;
    var i;
    for (i = 0; i < plain.length; i++) {
        sum = (sum * 31 + plain.charCodeAt(i)) | 0;
    }
    return sum;
};

Convergence.prototype = {
    /** Mends what differs and prints what was done, or would be. @throws {Error} when something failed */
    run: function () {
        var i;
        for (i = 0; i < this.wanted.length; i++) {
            this.mend(this.wanted[i]);
        }
        this.print((this.dryRun ? 'dry run, nothing was done: ' : '') + this.summary());
        if (this.counts.failed) {
            throw new Error(this.counts.failed + ' records could not be mended; see the lines above.');
        }
    },

    summary: function () {
        var counts = this.counts;
        return ['created', 'updated', 'unchanged', 'failed'].map(function (what) {
            return what + ' ' + counts[what];
        }).join(', ');
    },

    print: function (line) {
        gs.info(line);
    },

    /** Creates one record, or writes the fields of it that differ. @param {Wanted} record */
    mend: function (record) {
        var row = this.find(record);
        var differing;
        if (row === null) {
            this.create(record);
            return;
        }
        this.actual[record.sys_id] = row.getUniqueValue();
        differing = this.differing(record, row);
        if (differing.length) {
            this.update(record, row, differing);
        } else {
            this.counts.unchanged += 1;
        }
    },

    /** @returns {GlideRecord|null} */
    find: function (record) {
        var row = new GlideRecord(record.table);
        if (row.get(record.sys_id)) {
            return row;
        }
        return Convergence.KEYS[record.table] ? this.findByKey(record, Convergence.KEYS[record.table]) : null;
    },

    findByKey: function (record, key) {
        var row = new GlideRecord(record.table);
        var i, value;
        for (i = 0; i < key.length; i++) {
            value = this.value(record, key[i]);
            if (value === '') {
                row.addNullQuery(key[i]);
            } else {
                row.addQuery(key[i], value);
            }
        }
        row.setLimit(1);
        row.query();
        return row.next() ? row : null;
    },

    /** @returns {string} what a field should hold; a reference follows the record that was found in its place */
    value: function (record, field) {
        var value = record.fields[field] || '';
        return Object.prototype.hasOwnProperty.call(this.actual, value) ? this.actual[value] : value;
    },

    /** @returns {string[]} the fields that do not hold what they should */
    differing: function (record, row) {
        var kept = Convergence.KEPT[record.table] || [];
        var self = this;
        return Object.keys(record.fields).filter(function (field) {
            var held = self.held(row, field);
            return !(held !== '' && kept.indexOf(field) >= 0) && !self.same(self.value(record, field), held);
        });
    },

    held: function (row, field) {
        var value = row.getValue(field);
        return value === null || value === undefined ? '' : String(value);
    },

    /** The platform stores booleans as 1 and 0, and an empty one is false. */
    same: function (wanted, held) {
        if (wanted === 'true') {
            return held === '1' || held === 'true';
        }
        if (wanted === 'false') {
            return held === '0' || held === 'false' || held === '';
        }
        return wanted === held;
    },

    create: function (record) {
        var row = new GlideRecord(record.table);
        var self = this;
        if (!this.dryRun) {
            row.initialize();
            row.setNewGuidValue(record.sys_id);
            Object.keys(record.fields).forEach(function (field) {
                row.setValue(field, self.value(record, field));
            });
            if (!row.insert() || !this.isReal(record)) {
                this.fail(record, 'could not be created', row);
                return;
            }
        }
        this.counts.created += 1;
        this.print((this.dryRun ? 'would create ' : 'created ') + this.title(record));
    },

    /** A row about a table is not yet the table. */
    isReal: function (record) {
        return record.table !== 'sys_db_object' || gs.tableExists(record.fields.name);
    },

    update: function (record, row, fields) {
        var self = this;
        var changes = fields.map(function (field) {
            return field + ' ' + self.shown(self.held(row, field)) + ' → ' +
                self.shown(self.value(record, field));
        });
        if (!this.dryRun) {
            fields.forEach(function (field) {
                row.setValue(field, self.value(record, field));
            });
            if (!row.update()) {
                this.fail(record, 'could not be updated', row);
                return;
            }
        }
        this.counts.updated += 1;
        this.print((this.dryRun ? 'would update ' : 'updated ') + this.title(record) + ': ' +
            changes.join(', '));
    },

    fail: function (record, what, row) {
        this.counts.failed += 1;
        this.print('failed ' + this.title(record) + ': ' + what + '. ' + (row.getLastErrorMessage() || ''));
    },

    title: function (record) {
        return record.table + ' ' + record.name;
    },

    shown: function (value) {
        var line = value.replace(/\s+/g, ' ');
        return line === '' ? '(empty)' : line.length > 60 ? line.substring(0, 57) + '...' : line;
    }
};
