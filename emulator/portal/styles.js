/**
 * Style sheets of records: kept to their widget by nesting, which browsers read themselves.
 *
 * The platform compiles SCSS. What SCSS has and nested CSS has not (variables, mixins, `&-suffix`) is not
 * provided: the browser drops such a rule.
 */

/** These stay where they are: nested, they would mean nothing. */
var HOISTED = /^@(keyframes|-webkit-keyframes|font-face|import|charset|property)\b/;

/**
 * @param {string} css
 * @param {string} selector what all of it is to be kept to
 * @returns {string}
 */
exports.nested = function (css, selector) {
    var outside = [];
    var inside = [];
    if (!css.trim()) {
        return '';
    }
    statements(bare(css)).forEach(function (each) { (HOISTED.test(each) ? outside : inside).push(each); });
    return outside.join('\n') + '\n' + selector + ' {\n' + inside.join('\n') + '\n}\n';
};

/** SCSS has comments to the end of the line. One behind a colon is an address. */
function bare(css) {
    return css.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}])\/\/[^\n]*/g, '$1');
}

/** The rules, blocks and declarations that stand side by side. */
function statements(css) {
    var found = [];
    var depth = 0;
    var start = 0;
    var quote = '';
    var i;
    var sign;
    for (i = 0; i < css.length; i += 1) {
        sign = css.charAt(i);
        if (quote) {
            quote = sign === quote && css.charAt(i - 1) !== '\\' ? '' : quote;
        } else if (sign === '"' || sign === '\'') {
            quote = sign;
        } else {
            depth += sign === '{' ? 1 : sign === '}' ? -1 : 0;
            if (depth === 0 && (sign === '}' || sign === ';')) {
                found.push(css.slice(start, i + 1).trim());
                start = i + 1;
            }
        }
    }
    found.push(css.slice(start).trim());
    return found.filter(Boolean);
}
