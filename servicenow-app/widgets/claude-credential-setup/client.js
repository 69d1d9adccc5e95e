api.controller = function () {
};
