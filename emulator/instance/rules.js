/**
 * Business rules: scripts that take part in writes. [c_GlideRecordAPI and the business rule pages]
 *
 * `before` rules may change the row or stop the write, `after` rules see it written, `async` rules run soon
 * afterwards as the same user. An error in a rule is logged and the write goes on. `display` rules have no
 * form to run for.
 */

var cache = require('./cache');
var context = require('./context');
var failure = require('./failure');
var record = require('./glide/record');

/** Writes that rules cause within writes; deeper ones are a loop. */
var DEEPEST = 32;

/** Rules that nothing here sets off; whoever relies on one is told in the log. */
var NEVER_RUN = {
    'before queries': function (row) { return row.action_query === '1'; },
    'for display: it has no forms': function (row) { return row.when === 'display'; }
};

/** Columns of a rule that would have to be obeyed and cannot be. */
var NOT_PROVIDED = ['role_conditions', 'template'];

/**
 * @param {Object} platform records, engine, scopes, jobs and log are used
 * @returns {Object} the rules, which already take part in every write
 */
exports.create = function (platform) {
    return new Rules(platform);
};

function Rules(platform) {
    var self = this;
    this._platform = platform;
    this._index = cache.of(platform, 'sys_script', function (rows) {
        var active = rows.filter(function (row) { return row.active === '1'; });
        Object.keys(NEVER_RUN).forEach(function (kind) {
            active.filter(NEVER_RUN[kind]).forEach(function (row) {
                platform.log.error(nameOf(row), 'the emulator does not run business rules ' + kind);
            });
        });
        return byTable(active);
    });
    platform.records.setHooks({
        before: function (operation, table, current, previous) {
            return self._nested(function () { return self._before(operation, table, current, previous); });
        },
        after: function (operation, table, current, previous) {
            self._nested(function () { self._after(operation, table, current, previous); });
        }
    });
    platform.jobs.handle('async rule', function (trigger) { self._later(trigger); });
}

Rules.prototype = {
    _nested: function (work) {
        var transaction = context.current();
        if (transaction.depth >= DEEPEST) {
            throw failure.error('business rules cause each other: more than ' + DEEPEST +
                ' writes within one');
        }
        transaction.depth += 1;
        try {
            return work();
        } finally {
            transaction.depth -= 1;
        }
    },

    _rules: function (when, operation, table) {
        return (this._index()['$' + table] || []).filter(function (rule) {
            return rule.when === when && rule['action_' + operation] === '1';
        });
    },

    _before: function (operation, table, current, previous) {
        var self = this;
        var answer = null;
        // Those behind the rule that stops the write do not run any more.
        this._rules('before', operation, table).some(function (rule) {
            var shown = self._shown(table, current, previous, operation);
            self._guarded(rule, function () { self._apply(rule, shown, current); });
            if (record.isAborted(shown.current) || rule.abort_action === '1' && shown.applied) {
                answer = {abort: true, message: rule.message || null};
            }
            return answer !== null;
        });
        return answer;
    },

    _after: function (operation, table, current, previous) {
        var self = this;
        this._rules('after', operation, table).forEach(function (rule) {
            var shown = self._shown(table, current, previous, operation);
            self._guarded(rule, function () { self._apply(rule, shown, current); });
        });
        this._rules('async', operation, table).forEach(function (rule) {
            self._guarded(rule, function () { self._postpone(rule, operation, table, current, previous); });
        });
    },

    /** The two records a rule sees. */
    _shown: function (table, current, previous, operation) {
        var platform = this._platform;
        return {
            current: record.wrap(platform, table, current, {previous: previous, operation: operation}),
            previous: previous ? record.wrap(platform, table, previous) : null,
            applied: false
        };
    },

    _apply: function (rule, shown, row) {
        refuse(rule);
        shown.applied = this._applies(rule, shown, row);
        if (shown.applied && rule.advanced === '1' && rule.script) {
            this._platform.engine.run(rule.script, nameOf(rule), this._options(rule, shown));
        }
    },

    _applies: function (rule, shown, row) {
        var platform = this._platform;
        if (rule.filter_condition && !platform.records.matches(rule.collection, rule.filter_condition, row)) {
            return false;
        }
        return platform.engine.condition(rule.condition, nameOf(rule) + ' (condition)',
            this._options(rule, shown));
    },

    _options: function (rule, shown) {
        return {
            scope: this._platform.scopes.nameOf(rule),
            bindings: {current: shown.current, previous: shown.previous}
        };
    },

    /** The condition is looked at now, while it is known what changed; the script runs later. */
    _postpone: function (rule, operation, table, current, previous) {
        var user = context.current().user;
        refuse(rule);
        if (operation === 'delete') {
            throw failure.error('an async rule cannot see a deleted row here; make it an after rule');
        }
        if (this._applies(rule, this._shown(table, current, previous, operation), current)) {
            this._platform.jobs.schedule({
                name: 'ASYNC: ' + rule.name, kind: 'async rule', job_id: rule.sys_id, job_context: operation,
                document: table, document_key: current.sys_id, user: user.sys_id, user_name: user.user_name
            });
        }
    },

    /** An async rule's turn: the row as it is by now, and no `previous`. */
    _later: function (trigger) {
        var row = this._platform.records.get(trigger.document, trigger.document_key);
        var rule = this._platform.records.get('sys_script', trigger.job_id);
        if (!row || !rule || rule.active !== '1') {
            this._platform.log.info('rules', trigger.name + ' was left out: its row or the rule is gone');
            return;
        }
        this._platform.engine.run(rule.script || '', nameOf(rule), this._options(rule, {
            current: record.wrap(this._platform, trigger.document, row, {}), previous: null
        }));
    },

    _guarded: function (rule, work) {
        try {
            work();
        } catch (error) {
            this._platform.log.error(nameOf(rule), error.message || String(error));
        }
    }
};

function refuse(rule) {
    NOT_PROVIDED.forEach(function (column) {
        if (rule[column]) {
            throw failure.error('the emulator does not provide ' + column + ' of a business rule');
        }
    });
}

function nameOf(rule) {
    return 'sys_script.' + rule.name;
}

function byTable(rows) {
    var tables = {};
    rows.sort(function (left, right) {
        return Number(left.order) - Number(right.order);
    }).forEach(function (row) {
        var key = '$' + row.collection;
        tables[key] = (tables[key] || []).concat([row]);
    });
    return tables;
}
