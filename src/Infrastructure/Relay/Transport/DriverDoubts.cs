using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>
/// A driver whose connection broke may be gone, and its address another's by now: before it is dialled again the platform is asked, once
/// for all connections that want to dial it.
/// </summary>
/// <param name="check">Null: the platform knows the end of a driver before anybody else can have its address.</param>
internal sealed class DriverDoubts(IDriverCheck? check)
{
    private readonly Lock gate = new();
    private readonly Dictionary<Route, Task<bool>> questions = [];

    /// <summary>False: that driver is gone.</summary>
    public async ValueTask<bool> StandsAsync(Route route)
    {
        // An answer to a question that is older than the last break says nothing of it.
        while (check is not null && route.IsDoubtful && route.ClosedBy is null)
            if (!await Question(route)) return false;
        return true;
    }

    private Task<bool> Question(Route route)
    {
        lock (gate)
        {
            if (!questions.TryGetValue(route, out var question)) questions[route] = question = AskAsync(route);
            return question;
        }
    }

    private async Task<bool> AskAsync(Route route)
    {
        // It has to be in the list of questions before it leaves it.
        await Task.Yield();
        try
        {
            var breaks = route.Breaks;
            var stands = await check!.StandsAsync(route.Session, CancellationToken.None);
            if (stands) route.Stands(breaks);
            return stands;
        }
        finally
        {
            lock (gate) questions.Remove(route);
        }
    }
}
