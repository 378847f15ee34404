using MediatR;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.BindClone;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Features.ReleaseSession;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay;

/// <summary>From the relay's loops to the use cases.</summary>
internal sealed partial class RelayControl(IMediator mediator, GatewayOptions options, ILogger<RelayControl> logger) : IRelayControl
{
    private readonly bool logsCalls = options.Log.Calls;

    public Task<Result<Admission>> AdmitAsync(RouteRequest request, ConnectionContext connection, CancellationToken cancellation) =>
        GuardAsync(() => mediator.Send(new RelayStream.Request(request, connection), cancellation), cancellation);

    public Task<Result<LiveBinding>> BindCloneAsync(LiveBinding parent, string newClientSessionId, Caller caller) =>
        GuardAsync(() => mediator.Send(new BindClone.Request(parent, newClientSessionId, caller)), CancellationToken.None);

    public async Task ReleasedAsync(LiveBinding binding, Caller caller)
    {
        await Task.Yield();
        await GuardAsync(() => mediator.Send(new ReleaseSession.Request(binding, caller)), CancellationToken.None);
    }

    public async Task DeniedAsync(GatewayError error, int count, Caller caller)
    {
        await Task.Yield();
        await GuardAsync(() => mediator.Send(new DenyCall.Request(error, count, caller)), CancellationToken.None);
    }

    public void CallEnded(in CallOutcome outcome)
    {
        GatewayMetrics.CallEnded(outcome.Rpc, outcome.GrpcStatus);
        if (logsCalls) Called(logger, outcome.Rpc, outcome.GrpcStatus, outcome.Side, outcome.Milliseconds, outcome.Binding?.Route.Session, outcome.Binding?.Key.UserId ?? "", outcome.Binding?.Key.Prefix ?? "", outcome.Span?.TraceId.ToString() ?? "");
        if (outcome.Span is { } span) CallTracer.End(span, outcome);
        if (outcome.Error is not { } error) return;
        GatewayMetrics.CallFailed(outcome.Rpc, error.Code, error.Blame);
        if (logger.IsEnabled(LogLevel.Debug)) Failed(logger, outcome.Rpc, error.Code, error.Blame, outcome.Binding?.Route.Session);
    }

    private async Task<Result<T>> GuardAsync<T>(Func<Task<Result<T>>> work, CancellationToken cancellation)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return GatewayError.Unavailable(Blame.Client, "The client went away before its call was decided.");
        }
#pragma warning disable CA1031 // A bug in a use case fails one call; the relay goes on.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Bug(logger, bug);
            return new GatewayError(ErrorCode.Internal, Blame.Gateway, "The gateway failed at this call; its log has the details. Please report it.");
        }
    }

    [LoggerMessage(2030, LogLevel.Debug, "{Rpc} ended with {Code} (blame: {Blame}), session {Session}")]
    private static partial void Failed(ILogger logger, SparkRpc rpc, ErrorCode code, Blame blame, Session? session);

    [LoggerMessage(2032, LogLevel.Information, "{Rpc} ended with status {Status} by {EndedBy} after {Milliseconds} ms; session {Session}, user {User}, client session {ClientSession}, trace {TraceId}")]
    private static partial void Called(ILogger logger, SparkRpc rpc, int status, CallSide endedBy, long milliseconds, Session? session, string user, string clientSession, string traceId);

    [LoggerMessage(2031, LogLevel.Error, "A use case threw")]
    private static partial void Bug(ILogger logger, Exception bug);
}
