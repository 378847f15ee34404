using Microsoft.Extensions.Time.Testing;
using SparkGateway.Domain;
using SparkGateway.Infrastructure.Platforms.Kubernetes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

namespace SparkGateway.Infrastructure.Tests.Platforms.Kubernetes;

/// <summary>Which refusals of a new application are waited out, and for how long.</summary>
public sealed class CreatePatienceTests
{
    private const int GraceSeconds = 60;

    private readonly FakeTimeProvider time = new();
    private readonly List<string> told = [];
    private readonly CreatePatience patience;

    public CreatePatienceTests() => patience = new CreatePatience(GraceSeconds, told.Add, time);

    [Theory]
    [InlineData(nameof(KubeFailure.WebhookDown))]
    [InlineData(nameof(KubeFailure.Overload))]
    [InlineData(nameof(KubeFailure.Unauthorized))]
    public void WhyGivenUp_Passing_FailsAfterItsGraceWithACodeThatNobodyRepeats(string failure)
    {
        var error = Error(Enum.Parse<KubeFailure>(failure));

        Assert.Null(patience.WhyGivenUp(error));
        time.Advance(TimeSpan.FromSeconds(GraceSeconds) - TimeSpan.FromMilliseconds(1));
        Assert.Null(patience.WhyGivenUp(error));
        time.Advance(TimeSpan.FromMilliseconds(1));

        var given = patience.WhyGivenUp(error)!;
        Assert.Equal(ErrorCode.StartFailed, given.Code);
        Assert.Equal($"It is so. The gateway has tried for {GraceSeconds} seconds (kubernetes.create_grace_seconds).", given.Text);
        Assert.Equal(["It is so.", "It is so."], told);
    }

    [Fact]
    public void WhyGivenUp_TwoPassingOnesInTurn_ShareOneGrace()
    {
        patience.WhyGivenUp(Error(KubeFailure.WebhookDown));
        time.Advance(TimeSpan.FromSeconds(GraceSeconds));
        Assert.Null(patience.WhyGivenUp(Error(KubeFailure.Unreachable)));

        Assert.NotNull(patience.WhyGivenUp(Error(KubeFailure.Overload)));
    }

    [Fact]
    public void WhyGivenUp_Unreachable_Never()
    {
        patience.WhyGivenUp(Error(KubeFailure.Unreachable));
        time.Advance(TimeSpan.FromHours(1));

        Assert.Null(patience.WhyGivenUp(Error(KubeFailure.Unreachable)));
    }

    [Theory]
    [InlineData(nameof(KubeFailure.Forbidden))]
    [InlineData(nameof(KubeFailure.WebhookDenied))]
    [InlineData(nameof(KubeFailure.Quota))]
    [InlineData(nameof(KubeFailure.NamespaceMissing))]
    public void WhyGivenUp_Final_AtOnceAsItIs(string failure)
    {
        var error = Error(Enum.Parse<KubeFailure>(failure));

        Assert.Same(error.Error, patience.WhyGivenUp(error));
        Assert.Empty(told);
    }

    private static KubeError Error(KubeFailure failure) => new(failure, GatewayError.Unavailable(Blame.Cluster, "It is so."));
}
