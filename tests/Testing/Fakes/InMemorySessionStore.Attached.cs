using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Testing.Fakes;

public sealed partial class InMemorySessionStore : IAttachedStore
{
    public Task<Result<IReadOnlyList<Session>>> AttachAsync(string platform, IReadOnlyList<FoundDriver> drivers, CancellationToken cancellation) => Answer(() =>
    {
        foreach (var driver in drivers)
        {
            var there = sessions.Values.FirstOrDefault(session => session.Name == driver.Name && session.IsLive);
            if (there?.RuntimeId == driver.RuntimeId) continue;
            if (there is not null) End_NeedsLock(there.Id, EndReason.Replaced, "a younger driver has this name now");
            var made = New(new AttachedDriver(driver.Name, driver.Address, null)) with { Platform = platform, RuntimeId = driver.RuntimeId };
            sessions[made.Id] = made;
        }

        return Result<IReadOnlyList<Session>>.Ok([.. sessions.Values.Where(session => session.Kind == SessionKind.Attached && session.Platform == platform && session.IsLive)]);
    });
}
