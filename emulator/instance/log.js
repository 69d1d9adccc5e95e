/**
 * The system log: rows of syslog for whoever asks the instance, lines on stderr for whoever started it.
 */

var context = require('./context');
var rotation = require('./rotation');

var LEVELS = {debug: '-1', info: '0', warn: '1', error: '2'};
var LONGEST = 8000;

/**
 * @param {Object} store
 * @returns {{debug: function, info: function, warn: function, error: function}} each takes (source, text)
 */
exports.create = function (store) {
    var rotate = rotation.of(store, 'syslog', {column: 'sequence', where: null});

    function write(level, source, text) {
        var line = String(text).slice(0, LONGEST);
        java.lang.System.err.println(level + ' ' + source + ': ' + line);
        store.insert('syslog', row(level, String(source), line, rotate()));
    }

    return Object.keys(LEVELS).reduce(function (log, level) {
        log[level] = function (source, text) { write(level, source, text); };
        return log;
    }, {});
};

function row(level, source, line, number) {
    var now = new Date();
    return {
        sys_id: String(java.util.UUID.randomUUID()).replace(/-/g, ''),
        level: LEVELS[level],
        source: source,
        message: line,
        // Lines of one second keep their order by this.
        sequence: now.getTime().toString(16) + ('000000' + number).slice(-7),
        sys_created_on: now.toISOString().slice(0, 19).replace('T', ' '),
        sys_created_by: context.running() ? context.current().user.user_name : 'system'
    };
}
