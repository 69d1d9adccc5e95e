/**
 * How classes are made on the platform, and the base class of client callable Script Includes.
 */

var context = require('../context');

exports.install = function (scope) {
    scope.Class = {
        /** A constructor that passes its arguments to `initialize`. */
        create: function () {
            return function () {
                if (this.initialize) {
                    this.initialize.apply(this, arguments);
                }
            };
        }
    };
    // On the standard Object, where scripts look for it.
    scope.Object.extendsObject = extendsObject;
    scope.AbstractAjaxProcessor = AbstractAjaxProcessor;
};

/** A prototype that has everything of `base` (a constructor or an object) and of `members`. */
function extendsObject(base, members) {
    return extend(Object.create(typeof base === 'function' ? base.prototype : base), members);
}

function extend(target, source) {
    var name;
    for (name in source) {
        target[name] = source[name];
    }
    return target;
}

/** Reads the request's parameters of the transaction it runs in. */
function AbstractAjaxProcessor() {
    this.initialize.apply(this, arguments);
}

AbstractAjaxProcessor.prototype = {
    initialize: function (request) { this.request = request || null; },
    getParameter: function (name) {
        var value = (context.current().parameters || {})['$' + name];
        return value === undefined ? null : value;
    },
    getName: function () { return this.getParameter('sysparm_name'); },
    getValue: function () { return this.getParameter('sysparm_value'); },
    getType: function () { return this.getParameter('sysparm_type'); },
    type: 'AbstractAjaxProcessor'
};
