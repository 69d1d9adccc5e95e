/**
 * Refuse what the platform's engine does not read: everything newer than ECMAScript 5.
 *
 * Rhino 1.7.14 reads a part of ES6, so a script that runs here could fail there. The source is parsed at the
 * newest language level and the tree searched, so that the message can name the construct and not only its
 * place.
 */

var rhino = Packages.org.mozilla.javascript;
var ast = rhino.ast;
var Token = rhino.Token;
var NEWEST = rhino.Context.VERSION_ES6;

/** Names of the keyword tokens that are refused wherever they stand. */
var KEYWORDS = [
    [Token.LET, 'let'],
    [Token.LETEXPR, 'a let expression'],
    [Token.CONST, 'const'],
    [Token.ARROW, 'an arrow function'],
    [Token.TEMPLATE_LITERAL, 'a template literal'],
    [Token.TAGGED_TEMPLATE_LITERAL, 'a template literal'],
    [Token.YIELD, 'yield'],
    [Token.YIELD_STAR, 'yield'],
    [Token.EXP, 'the operator **'],
    [Token.BIGINT, 'a BigInt literal'],
    [Token.DOTDOT, 'an XML operator'],
    [Token.XMLATTR, 'an XML operator']
];

/** Kinds of tree node that are refused, with a condition where only some of them are. */
var NODES = [
    ['FunctionNode', 'an arrow function', function (node) {
        return node.getFunctionType() === ast.FunctionNode.ARROW_FUNCTION;
    }],
    ['FunctionNode', 'a generator', function (node) { return node.isGenerator(); }],
    ['FunctionNode', 'a shorthand method', function (node) {
        return node.isMethod() && !node.isGetterMethod() && !node.isSetterMethod();
    }],
    ['FunctionNode', 'a function without braces', function (node) { return node.isExpressionClosure(); }],
    ['ForInLoop', 'for each', function (node) { return node.isForEach(); }],
    ['ForInLoop', 'for...of', function (node) { return node.isForOf(); }],
    ['CatchClause', 'a conditional catch', function (node) { return node.getCatchCondition() !== null; }],
    ['ArrayLiteral', 'destructuring', function (node) { return node.isDestructuring(); }],
    ['ObjectLiteral', 'destructuring', function (node) { return node.isDestructuring(); }],
    ['NumberLiteral', 'a binary or octal literal', function (node) {
        return /^0[bBoO]/.test(String(node.getValue()));
    }],
    ['ComputedPropertyKey', 'a computed property name', null],
    ['ArrayComprehension', 'an array comprehension', null],
    ['GeneratorExpression', 'a generator expression', null],
    ['LetNode', 'a let expression', null],
    ['XmlLiteral', 'an XML literal', null],
    ['XmlRef', 'an XML operator', null],
    ['XmlPropRef', 'an XML operator', null],
    ['XmlElemRef', 'an XML operator', null],
    ['ObjectProperty', 'a shorthand property', function (node) {
        return !node.isGetterMethod() && !node.isSetterMethod() &&
            node.getLeft().getAbsolutePosition() === node.getRight().getAbsolutePosition();
    }],
    // What Rhino has under these names leads to what a script must not see; `$` is where the emulator keeps
    // its own.
    ['PropertyGet', 'a member named __parent__, __proto__ or $', function (node) {
        return isHidden(node.getRight().getIdentifier());
    }],
    ['ElementGet', 'a member named __parent__, __proto__ or $', function (node) {
        return node.getElement().getType() === Token.STRING && isHidden(node.getElement().getValue());
    }],
    ['ObjectProperty', 'a property named __parent__ or __proto__', function (node) {
        return /^['"]?__(parent|proto)__['"]?$/.test(String(node.getLeft().toSource()));
    }],
    ['RegExpLiteral', 'a regular expression flag', function (node) {
        return /[^gim]/.test(node.getFlags() || '');
    }],
    ['StringLiteral', 'a \\u{...} escape', function (node, source) {
        var start = node.getAbsolutePosition();
        return /^(.|[\n\r])(?:[^\\]|\\[^u]|\\u[^{])*\\u\{/.test(source.substr(start, node.getLength()));
    }]
].filter(function (rule) { return typeof ast[rule[0]] === 'function'; });

/**
 * Parse a script as ES5.
 *
 * @param {string} source the script
 * @param {string} name what error messages call it
 * @throws {SyntaxError} with the construct, the script's name and the line
 */
exports.check = function (source, name) {
    var text = String(source);
    var found = null;
    parse(text, name).visit(new JavaAdapter(ast.NodeVisitor, {
        visit: function (node) {
            found = found || judged(node, text);
            return found === null;
        }
    }));
    if (found) {
        throw refusal(found.construct + ' is not ES5', name, found.line);
    }
};

function parse(source, name) {
    var environs = new rhino.CompilerEnvirons();
    var context = rhino.Context.getCurrentContext();
    var before = context.getLanguageVersion();
    var complaint = {text: null, line: 0};
    context.setLanguageVersion(NEWEST);
    try {
        environs.initFromContext(context);
        return new rhino.Parser(environs, reporter(complaint)).parse(source, String(name), 1);
    } catch (error) {
        throw complaint.text ? refusal(complaint.text, name, complaint.line) : error;
    } finally {
        context.setLanguageVersion(before);
    }
}

/** Keep the parser's first complaint; the default reporter prints all of them and then throws a count. */
function reporter(complaint) {
    function note(text, file, line) {
        if (complaint.text === null) {
            complaint.text = String(text);
            complaint.line = Number(line);
        }
    }
    return new JavaAdapter(rhino.ErrorReporter, {
        warning: function () {},
        error: note,
        runtimeError: function (text, file, line, code, offset) {
            note(text, file, line);
            return new rhino.EvaluatorException(text, file, line, code, offset);
        }
    });
}

function refusal(text, name, line) {
    var error = new SyntaxError(text + ' (' + name + '; line ' + line + ')');
    error.detail = text;
    error.scriptName = String(name);
    error.scriptLine = Number(line);
    return error;
}

function judged(node, source) {
    var construct = keyword(node.getType()) || kind(node, source);
    return construct && {construct: construct, line: node.getLineno()};
}

function isHidden(name) {
    return /^(__parent__|__proto__|\$)$/.test(String(name));
}

function keyword(type) {
    var i;
    for (i = 0; i < KEYWORDS.length; i += 1) {
        if (KEYWORDS[i][0] !== undefined && KEYWORDS[i][0] === type) {
            return KEYWORDS[i][1];
        }
    }
    return null;
}

function kind(node, source) {
    var name = String(node.getClass().getSimpleName());
    var i;
    for (i = 0; i < NODES.length; i += 1) {
        if (NODES[i][0] === name && (!NODES[i][2] || NODES[i][2](node, source))) {
            return NODES[i][1];
        }
    }
    return null;
}
