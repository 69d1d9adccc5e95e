/** A terminal in a box of the page, as far as an attachment uses it. */

exports.make = function () {
    var typed = [];
    var resized = [];
    var screen = {
        columns: 80, rows: 24, // what it has
        box: {columns: 100, rows: 30}, // what fits into its box
        fixed: null,
        bytes: [], // what was written since it was last restored
        pictures: [],
        write: function (bytes) {
            screen.bytes = screen.bytes.concat(Array.prototype.slice.call(bytes));
        },
        restore: function (picture) {
            var history = picture.history ? Array.prototype.slice.call(picture.history) : [];
            screen.bytes = [];
            screen.pictures.push({ansi: picture.ansi, columns: picture.columns, rows: picture.rows,
                cut: picture.cut, history: history});
            size(picture.columns, picture.rows);
        },
        onData: function (fn) {
            typed.push(fn);
        },
        onResize: function (fn) {
            resized.push(fn);
        },
        fit: function () {
            screen.fixed = null;
            size(screen.box.columns, screen.box.rows);
            return {columns: screen.columns, rows: screen.rows};
        },
        fix: function (columns, rows) {
            screen.fixed = columns + 'x' + rows;
            size(columns, rows);
        },
        /** The user types. */
        type: function (text) {
            typed.forEach(function (fn) {
                fn(text);
            });
        },
        /** The box gets another size. */
        stretch: function (columns, rows) {
            screen.box = {columns: columns, rows: rows};
            if (!screen.fixed) {
                screen.fit();
            }
        }
    };

    function size(columns, rows) {
        if (columns && rows && (columns !== screen.columns || rows !== screen.rows)) {
            screen.columns = columns;
            screen.rows = rows;
            resized.forEach(function (fn) {
                fn(columns, rows);
            });
        }
    }

    return screen;
};
