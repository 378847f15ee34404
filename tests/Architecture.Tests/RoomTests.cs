namespace SparkGateway.Architecture.Tests;

/// <summary>Each rule holds for the product, and is broken by a sample, so that a rule that looks at nothing is noticed.</summary>
public sealed class RoomTests
{
    [Fact]
    public void Domain_UsesOnlyItselfAndTheLanguage() => Check(
        RoomRules.Domain,
        "SparkGateway.Samples.Domain.NounWithAStore uses FluentValidation.ValidationException",
        "SparkGateway.Samples.Domain.NounWithAStore uses System.IO.File");

    [Fact]
    public void Features_KnowDomainMediatorValidationAndAbstractions() => Check(
        RoomRules.Features,
        "SparkGateway.Samples.Features.Dial.OpenDial uses System.Net.Sockets.Socket",
        "SparkGateway.Samples.Features.Dial.OpenDial uses YamlDotNet.Core.Mark");

    [Fact]
    public void Infrastructure_DoesNotKnowApi() => Check(
        RoomRules.Infrastructure,
        "SparkGateway.Samples.Infrastructure.Store uses SparkGateway.Samples.Api.Verb");

    [Fact]
    public void Slice_UsesNoOtherSlice() => Check(
        RoomRules.Slices,
        "SparkGateway.Samples.Features.Ring.OpenRing uses SparkGateway.Samples.Features.Dial.OpenDial");

    [Fact]
    public void Http2AndCalls_ArePure() => Check(
        RoomRules.PureRelay,
        "SparkGateway.Samples.Infrastructure.Relay.Calls.WaitingCall uses System.Threading.Tasks.Task",
        "SparkGateway.Samples.Infrastructure.Relay.Calls.WaitingCall uses System.TimeProvider",
        "SparkGateway.Samples.Infrastructure.Relay.Http2.ReadingFrames uses System.IO.Stream",
        "SparkGateway.Samples.Infrastructure.Relay.Http2.ReadingFrames uses System.Net.Sockets.Socket",
        "SparkGateway.Samples.Infrastructure.Relay.Http2.ReadingFrames uses System.Threading.Lock");

    [Fact]
    public void Relay_UsesSocketsInTransportOnly() => Check(
        RoomRules.RelaySockets,
        "SparkGateway.Samples.Infrastructure.Relay.Http2.ReadingFrames uses System.Net.Sockets.Socket");

    [Fact]
    public void KubernetesTypes_StayInTheirPlatform() => Check(
        RoomRules.KubernetesTypes,
        "SparkGateway.Samples.Infrastructure.Store uses k8s.Models.V1Pod");

    [Fact]
    public void Infrastructure_HidesWhatApiDoesNotNeed() => Check(
        RoomRules.InternalTypes,
        "SparkGateway.Samples.Infrastructure.OpenDetail is public");

    private static void Check(Func<House, IReadOnlyList<string>> rule, params string[] sampleBreaks)
    {
        Findings.None(rule(House.Product));
        Assert.Superset(sampleBreaks.ToHashSet(), rule(House.Samples).ToHashSet());
    }
}
