/**
 * The ECC firewall: `boot-config.yaml` says by tag which messages the MID takes. [custom-yaml-conf]
 *
 * Reads as much YAML as that file needs: nested keys by indentation, lists in brackets or with dashes.
 */

var REFUSAL = 'ECC message execution denied';
var ACTIONS = ['accept', 'reject'];
/**
 * A rule for a parent tag holds for its children too; of the page's table, what the topics below can
 * meet.
 */
var PARENTS = {rest: 'http', soap: 'http', powershell: 'windows', jdbc: 'databases'};
/**
 * The tag of each topic. This MID cannot run the others of these, yet a refusal comes before that is
 * noticed.
 */
var TAGS = {
    JavascriptProbe: 'javascript', RESTProbe: 'rest', SOAPProbe: 'soap', Powershell: 'powershell',
    JDBCProbe: 'jdbc', SSHCommand: 'ssh', SNMP: 'snmp'
};

/**
 * Read the rules.
 *
 * @param {java.io.File} file boot-config.yaml; may be missing: then everything is taken
 * @returns {{refusal: function(string): ?string}} gives the reason for a topic that is refused, else null
 * @throws {Error} when the file cannot be understood: a firewall must not fail open
 */
exports.read = function (file) {
    var settings = file.exists() ? parse(file) : {mode: null, rules: []};
    return {
        refusal: function (topic) {
            var rule = settings.mode === 'enforcing' ? ruleFor(settings.rules, TAGS[topic]) : null;
            return rule && rule.action === 'reject' ?
                REFUSAL + ': a rule of the ECC firewall rejects the tag ' + TAGS[topic].toUpperCase() : null;
        }
    };
};

/** The first rule that fits decides; without one the message is taken, as it is with Code Signing off. */
function ruleFor(rules, tag) {
    var wanted = tag ? [tag, PARENTS[tag]] : [];
    return rules.filter(function (rule) {
        return rule.tags.some(function (name) { return wanted.indexOf(name) >= 0; });
    })[0] || null;
}

function parse(file) {
    var settings = {mode: null, rules: []};
    var text = String(new java.lang.String(java.nio.file.Files.readAllBytes(file.toPath()), 'UTF-8'));
    text.split(/\r?\n/).forEach(function (line, index) {
        var words = line.replace(/(^|\s)#.*$/, '').trim();
        if (words) {
            take(settings, words, 'boot-config.yaml line ' + (index + 1));
        }
    });
    settings.rules.forEach(checkRule);
    return settings;
}

function take(settings, words, place) {
    var dash = /^-\s+/.test(words);
    var pair = /^(?:-\s+)?([A-Za-z.]+)\s*:\s*(.*)$/.exec(words);
    if (dash && !pair) {
        lastRule(settings, place).tags.push(plain(words.substring(1)));
    } else if (!pair) {
        throw new Error(place + ' is not understood');
    } else {
        if (dash) {
            settings.rules.push({tags: [], action: null, place: place});
        }
        assign(settings, pair[1], pair[2], place);
    }
}

function assign(settings, key, value, place) {
    if (key === 'mode') {
        settings.mode = plain(value);
    } else if (key === 'tags') {
        lastRule(settings, place).tags = value.replace(/[\[\]]/g, '').split(',').map(plain).filter(String);
    } else if (key === 'action') {
        lastRule(settings, place).action = plain(value);
    } else if (['security', 'eccFirewall', 'rules'].indexOf(key) < 0) {
        throw new Error(place + ': the emulated MID Server does not know ' + key);
    }
}

function lastRule(settings, place) {
    if (settings.rules.length === 0) {
        throw new Error(place + ' stands outside a rule');
    }
    return settings.rules[settings.rules.length - 1];
}

function checkRule(rule) {
    if (ACTIONS.indexOf(rule.action) < 0 || rule.tags.length === 0) {
        throw new Error(rule.place + ': a rule needs tags and the action ' + ACTIONS.join(' or '));
    }
}

function plain(text) {
    return text.trim().replace(/^["']|["']$/g, '').toLowerCase();
}
