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

    internal sealed class Handler(
        ISessionStore store,
        SessionEnder ender,
        TrackedTasks tasks,
        StorePatience patience,
        FeatureOptions options,
        TimeProvider time) : IRequestHandler<Request, Result<int>>
    {
        public async Task<Result<int>> Handle(Request request, CancellationToken cancellationToken)
        {
            var binding = request.Binding;
            binding.MarkReleased();

            // The client is gone after its stop(): nobody repeats this for it.
            var release = await patience.InsistAsync(() => store.ReleaseAsync(binding.Key, request.Caller, cancellationToken), cancellationToken);
            var session = binding.Route.Session;
            if (release is { IsOk: true, Value: 0 } && session.Kind == SessionKind.OnDemand)
                tasks.Start($"linger of {session.Name}", stopping => LingerAsync(session, stopping));
            return release;
        }

        /// <summary>The store counts the linger from the latest release. A process that ends before is no harm: the expiry job finds the session too.</summary>
        private async Task LingerAsync(Session session, CancellationToken stopping)
        {
            var linger = options.Expiry.ReleaseLinger;
            await Task.Delay(linger, time, stopping);
            await patience.InsistAsync(
                () => ender.RetireAsync(session.Id, EndReason.Released, "", new EndCondition.ReleasedFor(linger), CancellationToken.None), stopping);
        }
    }
}
