using System.Threading.Channels;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Relay.Transport;
using SparkGateway.Testing.Http2;

namespace SparkGateway.Relay.Tests.Transport;

/// <summary>When a driver whose connection broke is asked for before it is dialled again.</summary>
public sealed class DriverDoubtsTests
{
    private readonly Platform platform = new();
    private readonly Route route = new(
        new Session { Id = Guid.NewGuid(), Name = new SessionName("ns", "app"), Incarnation = 1, Kind = SessionKind.OnDemand, Platform = "kubernetes", State = SessionState.Ready, Address = "127.0.0.1:1" }, token: null);
    private readonly DriverDoubts doubts;

    public DriverDoubtsTests() => doubts = new DriverDoubts(platform);

    [Fact]
    public async Task Dial_OfADriverWithoutABreak_AsksNobody()
    {
        Assert.True(await doubts.StandsAsync(route));

        Assert.Equal(0, platform.Questions);
    }

    [Fact]
    public async Task Dials_AfterABreak_ShareOneQuestion()
    {
        route.ConnectionBroke();
        var (first, second) = (doubts.StandsAsync(route).AsTask(), doubts.StandsAsync(route).AsTask());

        platform.Answer(true);

        Assert.True(await first);
        Assert.True(await second);
        Assert.True(await doubts.StandsAsync(route));
        Assert.Equal(1, platform.Questions);
    }

    [Fact]
    public async Task Driver_ThatIsGone_StaysGone()
    {
        route.ConnectionBroke();
        platform.Answer(false);
        Assert.False(await doubts.StandsAsync(route));

        platform.Answer(false);
        Assert.False(await doubts.StandsAsync(route));
    }

    [Fact]
    public async Task Break_DuringAQuestion_NeedsAnother()
    {
        route.ConnectionBroke();
        var dial = doubts.StandsAsync(route).AsTask();
        await platform.AskedAsync();

        route.ConnectionBroke();
        platform.Answer(true);
        platform.Answer(true);

        Assert.True(await dial);
        Assert.Equal(2, platform.Questions);
    }

    private sealed class Platform : IDriverCheck
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Channel<bool> answers = Channel.CreateUnbounded<bool>();

        public int Questions { get; private set; }

        public void Answer(bool stands) => answers.Writer.TryWrite(stands);

        public Task AskedAsync() => asked.Task.Within("a question to the platform");

        public async Task<bool> StandsAsync(Session ready, CancellationToken cancellation)
        {
            Questions++;
            asked.TrySetResult();
            return await answers.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().Within("an answer of the platform");
        }
    }
}
