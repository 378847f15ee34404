using MediatR;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Features.ReleaseSession;

/// <summary>A driver has answered a client's ReleaseSession with success: the binding is released; without any the driver ends after the linger.</summary>
public static class ReleaseSession
{
    /// <summary>The result is the number of client sessions that are still bound to the driver.</summary>
    public sealed record Request(LiveBinding Binding, Caller Caller) : IRequest<Result<int>>;

    internal sealed class Handler(ISessionStore store, Lingers lingers, TimeProvider time) : IRequestHandler<Request, Result<int>>
    {
        public async Task<Result<int>> Handle(Request request, CancellationToken cancellationToken)
        {
            var binding = request.Binding;
            binding.MarkReleased();

            // The client is gone after its stop(): nobody repeats this for it.
            var release = await StorePatience.InsistAsync(
                () => store.ReleaseAsync(binding.Key, request.Caller, cancellationToken), time, cancellationToken);
            if (release is { IsOk: true, Value: 0 } && binding.Route.Session.Kind == SessionKind.OnDemand)
                lingers.Restart(binding.Route.Session);
            return release;
        }
    }
}
