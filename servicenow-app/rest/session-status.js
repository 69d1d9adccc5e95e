(function process(request, response) {
    new ClaudeTerminalRest(request, response).reply(202, function (api, call) {
        return api.status(call.path('id'), call.body());
    });
})(request, response);
