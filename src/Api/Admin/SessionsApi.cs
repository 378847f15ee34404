using FluentValidation;
using MediatR;
using SparkGateway.Api.Hosting;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.CloseSession;
using SparkGateway.Features.DescribeSession;
using SparkGateway.Features.ExtendSession;
using SparkGateway.Features.ListSessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.PrecreateSession;
using SparkGateway.Features.ReadDriverLog;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Admin;

/// <summary>/api/v1/sessions: reads the request, sends the use case, writes its result.</summary>
internal sealed class SessionsApi(IMediator mediator, GatewayOptions options)
{
    public const string Path = "/api/v1/sessions";

    public Task<IResult> ListAsync(HttpContext context, string? team, string? user, string? @namespace, string? state, string? after, string? limit)
    {
        var inputs = new Inputs();
        inputs.AllowQuery(context.Request, "team", "user", "namespace", "state", "after", "limit");
        var filter = new SessionFilter(Filled(team), Filled(user), Filled(@namespace), inputs.Word("state", state, SessionStates.Live));
        var request = new ListSessions.Request(filter, inputs.PageKey("after", after), inputs.Number("limit", limit));
        return SendAsync<ListSessions.Request, SessionPage>(context, inputs, request,
            page => Results.Json(new SessionListView([.. page.Items.Select(SessionView.Of)], Inputs.Text(page.Next)), AdminJson.Options));
    }

    public async Task<IResult> OpenAsync(HttpContext context)
    {
        var inputs = new Inputs();
        inputs.AllowQuery(context.Request);
        await inputs.ReadBodyAsync(context.Request, "team", "environment");
        var request = new PrecreateSession.Request(inputs.BodyText("team"), inputs.BodyText("environment"), Actor(context));
        return await SendAsync<PrecreateSession.Request, PrecreateSession.Opened>(context, inputs, request, opened =>
        {
            var session = opened.Session;
            context.Response.Headers.Location = $"{Path}/{session.Id}";
            var url = ConnectionStrings.ToPrecreated(options.SparkConnect, opened.ClientSessionId);
            var view = new OpenedSessionView(session.Id, session.Name.Namespace, session.Name.Name, opened.ClientSessionId, url, session.State, session.MaxTtlAt);
            return Results.Json(view, AdminJson.Options, statusCode: StatusCodes.Status201Created);
        });
    }

    public Task<IResult> DescribeAsync(HttpContext context, string id)
    {
        var inputs = new Inputs();
        inputs.AllowQuery(context.Request);
        return SendAsync<DescribeSession.Request, DescribeSession.Description>(context, inputs, new DescribeSession.Request(inputs.Session(id)),
            description => Results.Json(SessionDetailView.Of(description), AdminJson.Options));
    }

    public Task<IResult> CloseAsync(HttpContext context, string id, string? note)
    {
        var inputs = new Inputs();
        inputs.AllowQuery(context.Request, "note");
        return SendAsync<CloseSession.Request, CloseSession.Closed>(context, inputs, new CloseSession.Request(inputs.Session(id), note ?? "", Actor(context)),
            closed => Results.Json(new ClosedSessionView(SessionView.Of(closed.Session), closed.WasOver), AdminJson.Options));
    }

    public async Task<IResult> ExtendAsync(HttpContext context, string id)
    {
        var inputs = new Inputs();
        inputs.AllowQuery(context.Request);
        await inputs.ReadBodyAsync(context.Request, "minutes");
        var request = new ExtendSession.Request(inputs.Session(id), inputs.BodyNumber("minutes"), Actor(context));
        return await SendAsync<ExtendSession.Request, Session>(context, inputs, request, session => Results.Json(SessionView.Of(session), AdminJson.Options));
    }

    public Task<IResult> LogsAsync(HttpContext context, string id, string? lines)
    {
        var inputs = new Inputs();
        inputs.AllowQuery(context.Request, "lines");
        return SendAsync<ReadDriverLog.Request, ReadDriverLog.Log>(context, inputs, new ReadDriverLog.Request(inputs.Session(id), inputs.Number("lines", lines)),
            log => Results.Json(new LogView(log.Session.Id, log.Session.Name.Namespace, log.Session.Name.Name, log.Lines), AdminJson.Options));
    }

    private async Task<IResult> SendAsync<TRequest, T>(HttpContext context, Inputs inputs, TRequest request, Func<T, IResult> answer)
        where TRequest : IRequest<Result<T>>
    {
        var result = inputs.Faults.Count > 0
            ? GatewayError.Invalid(AllFaults(context, inputs, request))
            : await mediator.Send(request, context.RequestAborted);
        if (result.TryGet(out var value, out var error)) return answer(value);
        if (!HttpMethods.IsGet(context.Request.Method)) await RefusalAudit.RecordAsync(context, error, Actor(context));
        return Problem.Of(error).ToResult();
    }

    /// <summary>What could not be read, and what breaks the use case's own rules among the rest.</summary>
    private static List<Fault> AllFaults<TRequest>(HttpContext context, Inputs inputs, TRequest request)
    {
        var unread = inputs.Faults.Select(fault => fault.Field).ToHashSet();
        var broken = context.RequestServices.GetServices<IValidator<TRequest>>()
            .SelectMany(validator => validator.Validate(request).Errors)
            .Where(error => !unread.Contains(error.PropertyName))
            .Select(error => new Fault(error.PropertyName, error.ErrorMessage));
        return [.. inputs.Faults, .. broken];
    }

    private static string? Filled(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static Caller Actor(HttpContext context) => context.Features.Get<Caller>() ?? throw new InvalidOperationException("Nobody without a token comes here.");
}
