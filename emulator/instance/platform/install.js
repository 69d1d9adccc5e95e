/**
 * The content of an empty instance: its tables, and the records it has before anybody has done anything.
 */

var files = require('platform/files');
var identity = require('identity');
var password = require('platform/password');

/** `agent string(255)`, `caller reference->sys_user`, `active boolean=1`, a trailing `!` = unique. */
var COLUMN = /^(\w+) (\w+)(?:\((\d+)\))?(?:->(\w+))?(?:=([^!]*))?(!)?$/;

/** How long a value may be where the table says nothing. */
var LENGTHS = {
    script: 1000000, xml: 33554432, html: 1000000, css: 1000000, conditions: 4000, user_roles: 4000
};

/** What records of configuration have besides: they belong to an application and travel in update sets. */
var CONFIGURATION = 'sys_scope reference->sys_scope=global, sys_package string(40)=global, ' +
    'sys_name string(255), sys_class_name sys_class_name, sys_update_name string(255), ' +
    'sys_policy string(40), sys_customer_update boolean=0, sys_replace_on_upgrade boolean=0';

/** Create the tables of an empty instance. */
exports.tables = function (dictionary) {
    var tables = JSON.parse(files.read('tables.json'));
    dictionary.install(Object.keys(tables).map(function (name) { return definition(name, tables[name]); }));
};

/**
 * Insert the records of an empty instance; runs as the platform itself.
 *
 * @param {Object} records the write path
 * @param {string} adminPassword of the user admin
 */
exports.records = function (records, adminPassword) {
    var content = JSON.parse(files.read('records.json'));
    Object.keys(content).forEach(function (table) {
        content[table].forEach(function (fields) { insert(records, table, fields); });
    });
    insert(records, 'sys_user', {
        name: 'System Administrator', sys_id: identity.derived('sys_user admin'), user_name: 'admin',
        active: '1', user_password: password.hash(adminPassword)
    });
    ['admin', 'security_admin'].forEach(function (role) {
        insert(records, 'sys_user_has_role', {
            user: identity.derived('sys_user admin'), role: identity.derived('sys_user_role ' + role),
            state: 'active'
        });
    });
};

/**
 * Bring the platform's own business rules and jobs up to date with their files; what an administrator has changed
 * besides the script stays.
 */
exports.scripts = function (platform) {
    var scripts = JSON.parse(files.read('scripts.json'));
    Object.keys(scripts).forEach(function (table) {
        scripts[table].forEach(function (fields) { script(platform, table, fields); });
    });
};

function script(platform, table, given) {
    var sysId = identity.derived(table + ' ' + given.name);
    var known = platform.records.get(table, sysId);
    var fields = {sys_id: sysId, script: files.read(given.file)};
    Object.keys(given).filter(function (name) { return name !== 'file'; }).forEach(function (name) {
        fields[name] = given[name];
    });
    if (known === null) {
        platform.records.insert(table, fields, {workflow: false});
    } else if (known.script !== fields.script) {
        platform.records.update(table, sysId, {script: fields.script}, {workflow: false});
    }
}

function definition(name, table) {
    var text = table.columns + (table.configuration ? ', ' + CONFIGURATION : '');
    return {name: name, label: table.label, scope: 'global', columns: text.split(/, */).map(column), fields: {
        // [customizations-tracked-update-sets] only these are captured by update sets
        sys_scope: 'global', read_access: '1', ws_access: '1', access: 'public'
    }};
}

function column(text) {
    var found = COLUMN.exec(text);
    if (found === null) {
        throw new Error('tables.json: cannot read the column "' + text + '"');
    }
    return {
        element: found[1], label: found[1].replace(/_/g, ' '), type: found[2],
        maxLength: found[3] || LENGTHS[found[2]], reference: found[4], defaultValue: found[5],
        unique: found[6] === '!', mandatory: false
    };
}

// References to records of this file are written as `@table name`.
function insert(records, table, fields) {
    var row = {};
    Object.keys(fields).forEach(function (name) {
        var value = String(fields[name]);
        row[name] = value.charAt(0) === '@' ? identity.derived(value.slice(1)) : value;
    });
    row.sys_id = row.sys_id || identity.derived(table + ' ' + (row.name || JSON.stringify(row)));
    records.insert(table, row, {workflow: false});
}
